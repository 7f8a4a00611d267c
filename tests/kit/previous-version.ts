import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface PreviousVersion extends AsyncDisposable {
  readonly commit: string;
  /** The exchange's command in it. */
  readonly program: string;
}

/**
 * Builds the version that an upgrade starts from, the commit named in `tests/upgrade/previous`, in a worktree of its own.
 * Throws when this clone does not hold that commit.
 */
export async function buildPreviousVersion(): Promise<PreviousVersion> {
  const commit = readFileSync(join(repository, 'tests/upgrade/previous'), 'utf8').trim();
  const folder = await mkdtemp(join(tmpdir(), 'openmesh-previous-'));
  const git = (...args: readonly string[]): Promise<unknown> => run('git', ['-C', repository, ...args]);
  const remove = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await git('worktree', 'prune');
  };
  try {
    await git('worktree', 'add', '--detach', '--force', folder, commit);
    await run('npm', ['ci', '--omit=dev', '--no-progress', '--no-audit', '--no-fund'], { cwd: folder });
  } catch (error) {
    await remove();
    throw new Error(`the version before, ${commit}, cannot be built: fetch the whole history`, { cause: error });
  }
  return { commit, program: join(folder, 'packages/exchange/src/cli/main.ts'), [Symbol.asyncDispose]: remove };
}
