import { clientError } from './errors/client-errors.ts';
import type { OperationName } from './errors/mesh-error.ts';

/** What `work` comes to, or `aborted` as soon as the signal is, whether or not the work ever ends. */
export async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  operation: OperationName,
): Promise<T> {
  if (signal === undefined) return await work;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(clientError('aborted', operation, { cause: signal.reason }));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
