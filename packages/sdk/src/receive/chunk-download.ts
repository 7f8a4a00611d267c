import { createGunzip } from 'node:zlib';
import { type MessageId, parseContentEncoding } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import { MeshError } from '../errors/mesh-error.ts';
import { attempt, type Session } from '../session.ts';
import { type Answer, bodyBlocks } from '../wire/answer.ts';
import { type MessageMetadata, readMetadata } from './message-metadata.ts';

/** How the bytes of a download travel. `as-stored`: as the sender sent them; `gzip`: packed where the service can. */
export type DownloadTransfer = 'as-stored' | 'gzip';

export interface ChunkRequest {
  readonly messageId: MessageId;
  /** From 1. */
  readonly chunk: number;
  readonly transfer: DownloadTransfer;
  readonly signal: AbortSignal | undefined;
}

/** One chunk whose headers have come. Read it, or cancel it. */
export interface ChunkDownload {
  readonly metadata: MessageMetadata;
  /** Bytes of the content; undefined when they are packed on the way or nobody says. */
  readonly contentLength: number | undefined;
  /** The content, unpacked. Throws when it breaks off or is not what was announced. */
  blocks(): AsyncGenerator<Buffer, void, undefined>;
  cancel(): void;
}

/** One attempt at one chunk. */
export async function requestChunk(session: Session, request: ChunkRequest): Promise<ChunkDownload> {
  const { messageId, chunk, transfer, signal } = request;
  const answer = await attempt(session, {
    operation: 'download',
    method: 'GET',
    path: chunk === 1 ? `/inbox/${messageId}` : `/inbox/${messageId}/${chunk}`,
    // Version 1 hands stored bytes out untouched; version 2 would pack them for everybody who takes gzip.
    version: transfer === 'as-stored' ? 1 : 2,
    headers: { 'accept-encoding': 'gzip' },
    carriesChunk: true,
    accepts: [200, 206],
    messageId,
    signal,
  });
  try {
    return readChunk(answer, request);
  } catch (error) {
    answer.cancel();
    throw error;
  }
}

function readChunk(answer: Answer, { messageId, chunk }: ChunkRequest): ChunkDownload {
  const metadata = readMetadata(answer.headers, { messageId, chunk, operation: 'download' });
  const rawLength = answer.headers.get('content-length');
  const encoding = parseContentEncoding(answer.headers.get('content-encoding'));
  if (encoding === 'unsupported') {
    throw clientError('unexpected-answer', 'download', { detail: 'its content encoding is not gzip', messageId });
  }
  const isFramed = rawLength !== undefined || answer.headers.has('transfer-encoding');
  if (!isFramed && encoding === '') {
    const detail = 'it has no length, so that nobody could tell whether it is whole';
    throw clientError('unexpected-answer', 'download', { detail, messageId });
  }
  return {
    metadata,
    contentLength: encoding === '' && rawLength !== undefined ? Number(rawLength) : undefined,
    blocks: () => (encoding === 'gzip' ? unpacked(answer, messageId) : bodyBlocks(answer)),
    cancel: () => answer.cancel(),
  };
}

async function* unpacked(answer: Answer, messageId: MessageId): AsyncGenerator<Buffer, void, undefined> {
  const gunzip = createGunzip();
  const source = bodyBlocks(answer);
  const feeding = feed(source, gunzip);
  feeding.catch((error: unknown) => gunzip.destroy(error as Error));
  try {
    yield* gunzip as AsyncIterable<Buffer>;
    await feeding;
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') !== true) throw cause;
    throw clientError('content-damaged', 'download', {
      detail: 'it is not the gzip it claims to be',
      cause,
      messageId,
    });
  } finally {
    gunzip.destroy();
    answer.cancel();
  }
}

async function feed(source: AsyncIterable<Buffer>, gunzip: ReturnType<typeof createGunzip>): Promise<void> {
  for await (const block of source) {
    if (gunzip.destroyed) return;
    if (!gunzip.write(block)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          gunzip.off('drain', go);
          gunzip.off('close', go);
          resolve();
        };
        gunzip.on('drain', go);
        gunzip.on('close', go);
      });
    }
  }
  gunzip.end();
}
