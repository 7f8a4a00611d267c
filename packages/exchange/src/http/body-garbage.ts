import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Garbage that is let lie before it is swept: a sweep of it costs about half a millisecond. */
const sweepEveryBytes = 8 * 1024 * 1024;

let lyingBytes = 0;
let sweep: (() => void) | undefined;

/**
 * Counts `bytes` of buffers that live no longer than a request, and now and then sweeps the young generation.
 *
 * A buffer is a few hundred bytes of heap that V8 sees and its content, up to 16 KiB from a TLS record, that it only adds
 * to its sum. The sum reaches the limit of the old generation long before the heap fills the young one, so V8 answers
 * every 17 MB with a full collection that finds nothing: a third of an upload's CPU, a tenth of a small message's. The
 * buffers are all young and dead, and a sweep of the young generation is what frees them.
 */
export function countBodyGarbage(bytes: number): void {
  lyingBytes += bytes;
  if (lyingBytes < sweepEveryBytes) return;
  lyingBytes = 0;
  sweep ??= youngSweep();
  sweep();
}

/** V8's collector is reached through a flag only; in a context of its own it is visible to nobody else. */
function youngSweep(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? () => void collect({ type: 'minor' }) : () => undefined;
}
