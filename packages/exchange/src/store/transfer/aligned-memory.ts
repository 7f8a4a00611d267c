/** What disks ask transfers past the cache to be aligned to, bytes. Few ask for more; such a file system uses its cache. */
export const pageBytes = 4096;

/**
 * Shared memory that begins on a page. The memory of an ordinary buffer begins wherever the allocator had room; one
 * that may grow is mapped by the page, even where, as here, its limit is its size.
 */
export function alignedMemory(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes);
}

/** Whether the bytes begin on a page of an `alignedMemory`. */
export function isPageAligned(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof SharedArrayBuffer && bytes.buffer.growable && bytes.byteOffset % pageBytes === 0;
}
