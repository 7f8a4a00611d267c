import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';

/** Runs `work` with a new directory, under `BENCH_DIRECTORY` or the system's place for such, and removes it. */
export async function withWorkDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), 'openmesh-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const forget = atExit(remove);
  try {
    return await work(directory);
  } finally {
    remove();
    forget();
  }
}
