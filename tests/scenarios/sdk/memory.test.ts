import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExchangeInProcess, kitSharedKey } from '../../kit/running-exchange.ts';
import { seededPassword } from '../../kit/seeded-registry.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('programs/move-large-file.ts', import.meta.url));
const mebibyte = 1024 * 1024;
const sizeMebibytes = 300;
/**
 * Half of the file. Needed are two blocks of 1 MiB for each of four chunks under way, and room for what a download leaves
 * for the collector, which on a busy machine comes late.
 */
const growthMebibytesMax = sizeMebibytes / 2;

let exchange: ExchangeInProcess;
let folder: TemporaryFolder;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  folder = await temporaryFolder('large');
  const file = await open(join(folder.path, 'large.dat'), 'w');
  const block = randomBytes(mebibyte);
  for (let at = 0; at < sizeMebibytes; at += 1) {
    block.writeUInt32BE(at);
    await file.write(block);
  }
  await file.close();
});
afterAll(async () => {
  await exchange.stop();
  await folder.remove();
});

async function move(more: object): Promise<{ readonly messageId: string; readonly grewMebibytes: number }> {
  const options = { url: exchange.url, mailboxId: 'X26ABC1', password: seededPassword, sharedKey: kitSharedKey };
  const task = JSON.stringify({ options, path: join(folder.path, 'large.dat'), to: 'X26ABC1', ...more });
  const { stdout } = await run(process.execPath, [program, task]);
  return JSON.parse(stdout) as { messageId: string; grewMebibytes: number };
}

async function digest(name: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(join(folder.path, name))) hash.update(block as Buffer);
  return hash.digest('hex');
}

describe.runIf(process.platform === 'linux')('the memory of a client does not follow the size of what it moves', () => {
  it.each([false, true])('up in parallel chunks and down into a file, packed on the way: %s', async (gzip) => {
    const up = await move({ gzip });
    expect(up.grewMebibytes).toBeLessThan(growthMebibytesMax);
    const name = `down-${gzip}.dat`;
    const down = await move({ gzip, messageId: up.messageId, path: join(folder.path, name) });
    expect(down.grewMebibytes).toBeLessThan(growthMebibytesMax);
    expect(await digest(name)).toBe(await digest('large.dat'));
  });
});
