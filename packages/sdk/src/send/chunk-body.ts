import { createHash, type Hash } from 'node:crypto';
import { createGzip, type Gzip } from 'node:zlib';
import { clientError } from '../errors/client-errors.ts';
import { MeshError } from '../errors/mesh-error.ts';
import type { ByteRange, Payload } from '../payload/payload.ts';
import type { RequestBody } from '../wire/transport.ts';

/** One attempt to send one range of a payload: its body, and the digest of what was read for it. */
export interface ChunkBody {
  readonly body: RequestBody;
  /** Hexadecimal, once the body has been read to its end. */
  sha256(): string;
  /** Source bytes read so far. */
  readonly bytesRead: number;
}

export interface ChunkBodyParts {
  readonly payload: Payload;
  readonly range: ByteRange;
  readonly gzip: boolean;
  readonly onBytes: (bytes: number) => void;
}

export function makeChunkBody({ payload, range, gzip, onBytes }: ChunkBodyParts): ChunkBody {
  const size = range.end - range.start;
  const hash: Hash = createHash('sha256');
  let bytesRead = 0;
  async function* source(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const block of readPayload(payload, range, signal)) {
      bytesRead += block.length;
      if (bytesRead > size) break;
      hash.update(block);
      onBytes(block.length);
      yield block;
    }
    if (bytesRead !== size) throw clientError('payload-changed', 'send', { detail: 'its size is not what it was' });
  }
  return {
    body: {
      length: gzip ? undefined : size,
      open: (signal) => (gzip ? packed(source(signal)) : source(signal)),
    },
    sha256: () => hash.digest('hex'),
    get bytesRead() {
      return bytesRead;
    },
  };
}

/** The bytes as the payload gives them; what is not a `MeshError` already becomes one. */
async function* readPayload(payload: Payload, range: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* payload.read(range, signal);
  } catch (cause) {
    throw cause instanceof MeshError ? cause : clientError('payload-unreadable', 'send', { cause });
  }
}

/** One gzip member, made as it is sent. */
async function* packed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const gzip = createGzip();
  const feeding = feed(source, gzip);
  feeding.catch((error: unknown) => gzip.destroy(error as Error));
  try {
    yield* gzip as AsyncIterable<Buffer>;
    await feeding;
  } finally {
    gzip.destroy();
  }
}

/** Block by block, each only when the one before is packed. */
async function feed(source: AsyncIterable<Uint8Array>, gzip: Gzip): Promise<void> {
  for await (const block of source) {
    await new Promise<void>((resolve) => {
      gzip.once('close', resolve);
      gzip.write(block, () => {
        gzip.off('close', resolve);
        resolve();
      });
    });
    if (gzip.destroyed) return;
  }
  gzip.end();
}
