import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { clientError } from '../errors/client-errors.ts';
import { MeshError } from '../errors/mesh-error.ts';
import { orAborted } from '../or-aborted.ts';
import { filePayload } from './file-payload.ts';
import type { Payload, PayloadSource } from './payload.ts';

export interface StreamOptions {
  /** Where its bytes are kept until they are sent: a folder only this program's user can read. The system's when absent. */
  readonly spoolFolder?: string | undefined;
  /** More than so many bytes are refused. 50 GB when absent. */
  readonly sizeBytesMax?: number | undefined;
}

const sizeBytesMaxDefault = 50_000_000_000;

/**
 * Bytes that can be read only once, and whose number nobody knows before they end: a request, a pipe, a generator. A
 * message must say with its first chunk how many follow, and a failed chunk must be sent again, so the bytes are first
 * written to a file that has no name, and not kept in memory.
 */
export function fromStream(stream: AsyncIterable<Uint8Array>, options: StreamOptions = {}): PayloadSource {
  let isTaken = false;
  return {
    async open(signal) {
      if (isTaken) throw clientError('invalid-option', 'send', { detail: 'a stream can be sent once' });
      isTaken = true;
      const handle = await openUnnamed(options.spoolFolder ?? tmpdir());
      try {
        return filePayload(handle, await spool(stream, handle, options.sizeBytesMax ?? sizeBytesMaxDefault, signal));
      } catch (error) {
        await handle.close();
        throw error instanceof MeshError ? error : unreadable(error);
      }
    },
  };
}

/** A file whose name is gone before anything is in it; where that is impossible it goes when it is closed. */
async function openUnnamed(parent: string): Promise<FileHandle> {
  try {
    const folder = await mkdtemp(join(parent, 'mesh-send-'));
    const handle = await open(join(folder, 'payload'), 'wx+', 0o600);
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    return handle;
  } catch (error) {
    throw unreadable(error);
  }
}

async function spool(
  stream: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  sizeBytesMax: number,
  signal: AbortSignal | undefined,
): Promise<Payload['sizeBytes']> {
  let size = 0;
  for await (const block of untilAborted(stream, signal)) {
    if (size + block.length > sizeBytesMax) {
      throw clientError('payload-too-large', 'send', { detail: `sizeBytesMax is ${sizeBytesMax}` });
    }
    for (let at = 0; at < block.length; )
      at += (await handle.write(block, at, block.length - at, size + at)).bytesWritten;
    size += block.length;
  }
  return size;
}

/** The blocks of a stream. An abort does not wait for one that stalls. */
async function* untilAborted(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const blocks = stream[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await orAborted(blocks.next(), signal, 'send');
      if (done === true) break;
      yield value;
    }
    isOver = true;
  } finally {
    if (!isOver) abandon(stream, blocks);
  }
}

/** Gives a stream up without waiting for it: the block that was asked for may never come. */
function abandon(stream: AsyncIterable<Uint8Array>, blocks: AsyncIterator<Uint8Array>): void {
  if (stream instanceof Readable) stream.destroy();
  blocks.return?.().catch(() => undefined);
}

function unreadable(cause: unknown): MeshError {
  return clientError('payload-unreadable', 'send', { detail: (cause as NodeJS.ErrnoException | null)?.code, cause });
}
