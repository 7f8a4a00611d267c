import { execFile, spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type NumberFlags, readFlags } from './flags.ts';
import { median, rounded } from './statistics.ts';
import { stopper } from './stop-child.ts';
import { withWorkDirectory } from './work-directory.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../', import.meta.url));
const millisecondsASecond = 1000;

export const coldStartSummary = 'a fresh clone to the ready line: npm ci with an empty cache, then npm start';

export const coldStartFlags = {
  rounds: { default: 1, min: 1, max: 20, help: 'how often' },
} satisfies NumberFlags;

/**
 * What a newcomer waits for: a clone of the last commit, `npm ci` with an empty cache of npm's, then `npm start` until it
 * says that it is ready, and once more now that the files are in memory. The registry and the way to it are part of the figure.
 */
export async function runColdStart(args: readonly string[]): Promise<object> {
  const { rounds } = readFlags(args, coldStartFlags);
  const figures: { readonly install: number; readonly start: number; readonly startAgain: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const figure = await withWorkDirectory(measureOnce);
    console.error(`npm ci ${figure.install} s, npm start ${figure.start} s`);
    figures.push(figure);
  }
  const middle = (pick: (figure: (typeof figures)[number]) => number): number | null =>
    rounded(median(figures.map(pick)), 1);
  return {
    rounds,
    npmCiSeconds: middle(({ install }) => install),
    npmStartToReadySeconds: middle(({ start }) => start),
    npmStartAgainToReadySeconds: middle(({ startAgain }) => startAgain),
    totalSeconds: middle(({ install, start }) => install + start),
    figures,
  };
}

async function measureOnce(directory: string): Promise<{ install: number; start: number; startAgain: number }> {
  const clone = join(directory, 'clone');
  await run('git', ['clone', '--quiet', repository, clone]);
  const env = { ...hostEnvironment(), npm_config_cache: join(directory, 'cache') };
  const install = await secondsOf(() => run('npm', ['ci'], { cwd: clone, env }));
  const start = await secondsToReady(clone, join(directory, 'store'));
  const startAgain = await secondsToReady(clone, join(directory, 'store-again'));
  return { install, start, startAgain };
}

/** Without the folders that npm put in front of PATH for us, so that `node` is the host's own. */
function hostEnvironment(): NodeJS.ProcessEnv {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const path = folders.filter((folder) => !/[/\\]node_modules[/\\]/.test(folder)).join(delimiter);
  return { ...process.env, PATH: path };
}

async function secondsToReady(clone: string, store: string): Promise<number> {
  const child = spawn('npm', ['start', '--silent', '--', '--port', '0'], {
    cwd: clone,
    env: { ...hostEnvironment(), MAILBOXES_DATA_DIR: store },
    stdio: ['ignore', 'pipe', 'ignore'],
    // npm passes no signal on; a group of its own can be ended as one.
    detached: true,
  });
  const stop = stopper(child);
  try {
    return await secondsOf(async () => {
      for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready ')) return;
      throw new Error('npm start ended before it was ready');
    });
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await stop();
  }
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return rounded((performance.now() - startedMs) / millisecondsASecond, 2) ?? Number.NaN;
}
