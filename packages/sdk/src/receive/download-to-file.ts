import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { MessageId } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import { MeshError } from '../errors/mesh-error.ts';
import type { Session } from '../session.ts';
import { BlockWriter } from './block-writer.ts';
import { describeMessage } from './describe-message.ts';
import { type DownloadOptions, download } from './download.ts';
import { type ChunkEnd, type DownloadState, parseDownloadState } from './download-state.ts';
import type { MessageMetadata } from './message-metadata.ts';

export interface DownloadToFileOptions extends DownloadOptions {
  /** Go on with the file of an earlier download; what the state says is in it is read and held to its digests. */
  readonly state?: DownloadState | undefined;
  /** Called, and waited for, each time a chunk is in the file and flushed. */
  readonly onState?: ((state: DownloadState, chunk: ChunkEnd) => void | Promise<void>) | undefined;
  /** Write over a file that is there. Without it such a file is an error, unless a `state` is given. */
  readonly overwrite?: boolean | undefined;
}

export interface DownloadedFile {
  readonly metadata: MessageMetadata;
  /** Of the content; 0 for a report, for which no file is made. */
  readonly bytes: number;
  readonly chunks: readonly ChunkEnd[];
}

/**
 * Downloads a message into a file of this name, readable by its owner only. When it resolves, the file and its entry in
 * the folder are flushed, so that the message may be acknowledged. It does not acknowledge.
 */
export async function downloadToFile(
  session: Session,
  messageId: MessageId,
  path: string,
  options: DownloadToFileOptions,
): Promise<DownloadedFile> {
  const state = options.state === undefined ? undefined : parseDownloadState(options.state);
  if (state !== undefined && (state.messageId !== messageId || state.mailboxId !== session.mailbox)) {
    throw unusable('it is of another message', messageId);
  }
  const done = [...(state?.done ?? [])];
  const bytes = done.reduce((sum, end) => sum + end.bytes, 0);
  if (state !== undefined && done.length === state.totalChunks) {
    const handle = await openFile(path, options, true);
    await working(handle, async () => {
      await holdToState(handle, done, messageId);
      await handle.truncate(bytes);
      await handle.sync();
    });
    return { metadata: await describeMessage(session, messageId, options), bytes, chunks: done };
  }
  const writing = new FileDownload({ session, messageId, path, options, done, bytes });
  return writing.run();
}

interface Parts {
  readonly session: Session;
  readonly messageId: MessageId;
  readonly path: string;
  readonly options: DownloadToFileOptions;
  readonly done: ChunkEnd[];
  readonly bytes: number;
}

class FileDownload {
  readonly #parts: Parts;
  #writer: BlockWriter | undefined;
  #totalChunks = 1;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async run(): Promise<DownloadedFile> {
    const { session, messageId, path, options, done, bytes } = this.#parts;
    const from = { chunk: done.length + 1, bytes };
    const incoming = await download(session, messageId, options, { from, onChunk: (end) => this.#chunkEnded(end) });
    const { metadata } = incoming;
    if (metadata.type === 'REPORT') {
      incoming.cancel();
      return { metadata, bytes: 0, chunks: [] };
    }
    this.#totalChunks = metadata.totalChunks;
    try {
      if (options.state !== undefined && options.state.totalChunks !== metadata.totalChunks) {
        throw unusable('the message has another number of chunks', messageId);
      }
      const handle = await openFile(path, options, options.state !== undefined);
      await working(handle, async () => {
        await holdToState(handle, done, messageId);
        await handle.truncate(bytes);
        const writer = new BlockWriter(handle, bytes);
        this.#writer = writer;
        for await (const block of incoming) await writer.write(block);
        await handle.sync();
      });
    } finally {
      incoming.cancel();
    }
    await flushFolder(dirname(path));
    return { metadata, bytes: done.reduce((sum, end) => sum + end.bytes, 0), chunks: done };
  }

  async #chunkEnded(end: ChunkEnd): Promise<void> {
    const { session, messageId, options, done } = this.#parts;
    await this.#writer?.flush();
    done.push(end);
    const totalChunks = this.#totalChunks;
    const state = { version: 1, mailboxId: session.mailbox, messageId, totalChunks, done: [...done] } as const;
    await options.onState?.(state, end);
  }
}

/** Reads what a state says is in the file, and throws when it is not. */
async function holdToState(handle: FileHandle, done: readonly ChunkEnd[], messageId: MessageId): Promise<void> {
  const block = Buffer.allocUnsafe(1024 * 1024);
  let position = 0;
  for (const { bytes, sha256 } of done) {
    const hash = createHash('sha256');
    for (let left = bytes; left > 0; ) {
      const { bytesRead } = await handle.read(block, 0, Math.min(left, block.length), position);
      if (bytesRead === 0) throw unusable('the file is shorter than it says', messageId);
      hash.update(block.subarray(0, bytesRead));
      left -= bytesRead;
      position += bytesRead;
    }
    if (hash.digest('hex') !== sha256) throw unusable('the file has other bytes than it says', messageId);
  }
}

function openFile(path: string, { overwrite }: DownloadToFileOptions, isThere: boolean): Promise<FileHandle> {
  return unlessUnusable(() => open(path, isThere ? 'r+' : overwrite === true ? 'w+' : 'wx+', 0o600));
}

/** Does the work and closes the file however it ends. */
async function working(handle: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await unlessUnusable(work);
  } finally {
    await handle.close();
  }
}

/** What shares answer that flush no folders: there the name is as durable as they make it. */
const flushesNoFolder = new Set(['EINVAL', 'ENOTSUP', 'EISDIR']);

/** A file's name in its folder is durable only when the folder is flushed too; Windows cannot, and need not. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await unlessUnusable(() => open(path, 'r'));
  await working(folder, async () => {
    try {
      await folder.sync();
    } catch (error) {
      if (!flushesNoFolder.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  });
}

/** The system's own errors become ours, by their code: their text holds the path. What callbacks throw passes through. */
async function unlessUnusable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (cause instanceof MeshError || code === undefined || syscall === undefined) throw cause;
    throw clientError('file-unusable', 'download', { detail: code, cause });
  }
}

function unusable(detail: string, messageId: MessageId): MeshError {
  return clientError('state-unusable', 'download', { detail, messageId });
}
