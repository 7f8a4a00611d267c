import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The `node` that a person at this machine would run: the first on PATH that no package put there. Undefined when there
 * is none.
 */
export function findHostNode(path: string = process.env['PATH'] ?? ''): string | undefined {
  const executable = process.platform === 'win32' ? 'node.exe' : 'node';
  return path
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.split(/[/\\]/).includes('node_modules'))
    .map((folder) => join(folder, executable))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
