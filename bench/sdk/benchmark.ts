import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeCredentials } from '../certificates.ts';
import { type NumberFlags, readFlags } from '../flags.ts';
import { stopper } from '../stop-child.ts';
import { withWorkDirectory } from '../work-directory.ts';

export const sdkSummary = 'the SDK: the memory of a program that sends and downloads one message of any size';

export const sdkFlags = {
  gigabytes: { default: 5, min: 1, max: 100, help: 'size of the message' },
  chunkMebibytes: { default: 50, min: 1, max: 50, help: 'size of its chunks' },
  up: { default: 1, min: 0, max: 1, help: '0 leaves sending out' },
  down: { default: 1, min: 0, max: 1, help: '0 leaves downloading out' },
} as const satisfies NumberFlags;

const run = promisify(execFile);
const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const messageId = '20260101000000000001_ABCDEF';

/** A program with the SDK against a service that keeps nothing: no disk is touched, and mutual TLS is on both ways. */
export async function runSdk(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, sdkFlags);
  const sizeBytes = flags.gigabytes * 1_000_000_000;
  const chunkBytes = flags.chunkMebibytes * 1024 * 1024;
  return withWorkDirectory(async (directory) => {
    const { files } = await makeCredentials(directory);
    const { serverCert: cert, serverKey: key, ca } = files;
    const task = JSON.stringify({ cert, key, ca, sizeBytes, chunkBytes });
    const service = spawn(process.execPath, [fileOf('stand-in.ts'), task], { stdio: ['ignore', 'pipe', 'inherit'] });
    const stop = stopper(service);
    try {
      const [line] = (await once(service.stdout, 'data')) as [Buffer];
      const url = `https://127.0.0.1:${Number(line.toString())}`;
      const options = { url, mailboxId: 'BENCHSDK', password: 'password', sharedKey: 'key' };
      const move = async (direction: 'up' | 'down'): Promise<object> => {
        const job = { options, files, direction, sizeBytes, chunkBytes, messageId };
        const { stdout } = await run(process.execPath, [fileOf('mover.ts'), JSON.stringify(job)]);
        return JSON.parse(stdout) as object;
      };
      const up = flags.up === 1 ? await move('up') : null;
      const down = flags.down === 1 ? await move('down') : null;
      return { flags, up, down };
    } finally {
      await stop();
    }
  });
}
