import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NumberFlags, readFlags } from '../flags.ts';
import { residentMiB } from '../process-usage.ts';
import { rounded } from '../statistics.ts';
import { stopper } from '../stop-child.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { organisationsBundle } from './make-bundle.ts';

export const directorySummary = 'organisations from a FHIR Bundle into the directory, by the admin command';

export const directoryFlags = {
  organisations: { default: 300_000, min: 1, max: 5_000_000, help: 'organisations in the file' },
} satisfies NumberFlags;

const program = fileURLToPath(new URL('../../packages/exchange/src/cli/main.ts', import.meta.url));
const sampleMs = 20;
const bytesAMebibyte = 1_048_576;

interface Loaded {
  readonly seconds: number;
  readonly peakMiB: number;
}

/** The first load, and the same file again, which changes nothing. */
export async function runDirectory(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, directoryFlags);
  return withWorkDirectory(async (directory) => {
    const file = join(directory, 'organisations.json');
    await write(file, flags.organisations);
    const env = {
      ...process.env,
      OPENMESH_PROFILE: 'sandbox',
      OPENMESH_TLS: 'off',
      OPENMESH_SHARED_KEY: 'TestKey',
      OPENMESH_LEDGER: `sqlite:${join(directory, 'ledger.sqlite')}`,
      OPENMESH_BODIES: `file:${join(directory, 'bodies')}`,
    };
    const first = await load(file, env);
    console.error(`loaded in ${first.seconds} s, peak ${first.peakMiB} MiB`);
    const again = await load(file, env);
    const fileMiB = rounded((await stat(file)).size / bytesAMebibyte, 0);
    const ledgerMiB = rounded((await stat(join(directory, 'ledger.sqlite'))).size / bytesAMebibyte, 0);
    return { flags, fileMiB, ledgerMiB, first, again };
  });
}

async function write(file: string, organisations: number): Promise<void> {
  const out = createWriteStream(file);
  for (const piece of organisationsBundle(organisations)) {
    if (!out.write(piece)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** The whole command, from its start to its end, its highest memory with it. */
async function load(file: string, env: NodeJS.ProcessEnv): Promise<Loaded> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program, 'directory', 'load', file], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = stopper(child);
  let peakMiB = 0;
  const timer = setInterval(() => {
    if (child.pid !== undefined && child.exitCode === null) peakMiB = peakOf(child.pid, peakMiB);
  }, sampleMs);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`the load ended with ${code}`);
    return { seconds: rounded((performance.now() - startedMs) / 1000, 1) ?? 0, peakMiB: rounded(peakMiB, 0) ?? 0 };
  } finally {
    clearInterval(timer);
    await stop();
  }
}

/** The process may end between two looks. */
function peakOf(pid: number, before: number): number {
  try {
    return Math.max(before, residentMiB(pid).peak);
  } catch {
    return before;
  }
}
