import { statSync } from 'node:fs';

/** Whether what is at this path can be read more than once: a pipe gives what it has to whoever reads first. */
export function canBeReadAgain(path: string): boolean {
  // What is not there is said by whoever reads it.
  return statSync(path, { throwIfNoEntry: false })?.isFile() !== false;
}
