import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set();
/** Makes an empty folder under the system's temporary folder; `purpose` shows in its name. */
export async function temporaryFolder(purpose = 'test') {
  const path = await mkdtemp(join(tmpdir(), `openmesh-${purpose}-`));
  made.add(path);
  const remove = async () => {
    await rm(path, { recursive: true, force: true });
    made.delete(path);
  };
  return { path, remove, [Symbol.asyncDispose]: remove };
}
/** Folders made here that are still there. */
export function foldersLeft() {
  return [...made].filter((path) => existsSync(path));
}
//# sourceMappingURL=temporary-folder.js.map
