import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { atExit } from './at-exit.ts';

/** How to end a child: by the returned function, or by this process's own end, whichever comes first. */
export function stopper(child: ChildProcess): () => Promise<void> {
  const exited = once(child, 'exit');
  const forget = atExit(() => void child.kill('SIGKILL'));
  exited.then(forget, forget);
  return async () => {
    child.kill('SIGTERM');
    await exited;
  };
}
