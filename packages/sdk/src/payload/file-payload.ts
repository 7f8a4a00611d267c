import { type FileHandle, open } from 'node:fs/promises';
import { clientError } from '../errors/client-errors.ts';
import { BlockPair } from './block-pair.ts';
import type { ByteRange, Payload, PayloadSource } from './payload.ts';

/** Large reads cost a quarter of what the default of 64 KiB does; two of them are in memory for each chunk under way. */
export const fileBlockBytes = 1024 * 1024;

/** A file. It is opened when the send begins, and must not change until it is over. */
export function fromFile(path: string): PayloadSource {
  return {
    async open() {
      const handle = await unlessUnreadable(() => open(path, 'r'));
      try {
        const { size, mtimeMs } = await unlessUnreadable(() => handle.stat());
        return filePayload(handle, size, mtimeMs);
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
  };
}

/** A payload over an open file, which it closes. */
export function filePayload(handle: FileHandle, sizeBytes: number, modifiedMs?: number): Payload {
  return {
    sizeBytes,
    modifiedMs,
    read: (range) => readRange(handle, range),
    close: () => handle.close(),
  };
}

async function* readRange(handle: FileHandle, { start, end }: ByteRange): AsyncGenerator<Buffer, void, undefined> {
  const blocks = new BlockPair(Math.min(fileBlockBytes, end - start));
  for (let position = start; position < end; ) {
    const wanted = Math.min(fileBlockBytes, end - position);
    const block = blocks.next();
    const at = position;
    const { bytesRead } = await unlessUnreadable(() => handle.read(block, 0, wanted, at));
    if (bytesRead === 0) throw clientError('payload-changed', 'send', { detail: 'it has become shorter' });
    position += bytesRead;
    yield block.subarray(0, bytesRead);
  }
}

async function unlessUnreadable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // The text of the system's error holds the path, which may be personal: its code is enough.
    const { code } = cause as NodeJS.ErrnoException;
    throw clientError('payload-unreadable', 'send', { detail: code, cause });
  }
}
