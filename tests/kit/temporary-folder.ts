import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of one test. `await using` removes it; the leak guard names those that were not. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

const made = new Set<string>();

/** Makes an empty folder under the system's temporary folder; `purpose` shows in its name. */
export async function temporaryFolder(purpose = 'test'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `openmesh-${purpose}-`));
  made.add(path);
  const remove = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    made.delete(path);
  };
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/** Folders made here that are still there. */
export function foldersLeft(): string[] {
  return [...made].filter((path) => existsSync(path));
}
