/**
 * Copies `bytes[from, to)` to `memory` at `at`; there must be room. V8's own `set` copies into shared memory word by word, as if
 * another thread wrote to it at the same time, at a sixth of the speed of `memmove`. Node's copy of a part of a buffer
 * is a `memmove`, its copy of a whole one is that `set`; so the last byte goes apart.
 */
export function copyBytes(memory: Buffer, at: number, bytes: Uint8Array, from: number, to: number): void {
  if (to <= from) return;
  const source = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  source.copy(memory, at, from, to - 1);
  memory[at + to - 1 - from] = bytes[to - 1] ?? 0;
}
