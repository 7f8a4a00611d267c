import { promisify } from 'node:util';
import { constants, createGunzip, createGzip, gunzip, gzip } from 'node:zlib';
import type { ChunkContent } from '../../message/download.ts';
import type { BodyBlock } from '../../store/bodies.ts';

const squeeze = promisify(gzip);
const unpack = promisify(gunzip);

/** An inline body may not unpack to more than this in memory; a larger one is unpacked as a stream. */
const unpackedBytesMax = 1024 * 1024;
/** How much of a body is unpacked to see whether it is gzip at all. */
const triedBytes = 64 * 1024;
// Made for one reader on its way out: speed is worth more than the last percent.
const squeezeLevel = 1;

/** A chunk as it goes out: the bytes, and whether they are gzip. */
export type Outgoing =
  | { readonly kind: 'plain'; readonly bytes: Uint8Array; readonly gzipped: boolean }
  | {
      readonly kind: 'blocks';
      readonly lengthBytes: number;
      readonly blocks: AsyncIterable<BodyBlock>;
      readonly gzipped: boolean;
    }
  | { readonly kind: 'stream'; readonly pieces: AsyncIterable<Uint8Array>; readonly gzipped: boolean };

/** Chunks remembered at most to be no gzip; the oldest is forgotten first, at the price of one more answer cut off. */
const notGzipMax = 10_000;

/**
 * Chunks that claim to be gzip and turned out, on their way to a caller, not to be. That answer is cut off; the next
 * one gives the bytes as they came, or their recipient could never collect the message.
 */
export class NotGzip {
  readonly #chunks = new Set<string>();

  has(chunk: string): boolean {
    return this.#chunks.has(chunk);
  }

  add(chunk: string): void {
    if (this.#chunks.size >= notGzipMax) this.#chunks.delete(this.#chunks.values().next().value ?? '');
    this.#chunks.add(chunk);
  }
}

/** What a caller takes, and the name of the chunk among those that are no gzip. */
export interface Wanted {
  readonly gzip: boolean;
  readonly version: 1 | 2;
  readonly notGzip: NotGzip;
  readonly chunk: string;
}

/**
 * Chooses the form of a chunk by what is stored and what the caller accepts: gzip is passed on, or
 * unpacked for callers that do not take it; version 2 callers that take gzip get plain bytes squeezed, as one member.
 */
export async function encodeContent(content: ChunkContent, stored: 'gzip' | '', wants: Wanted): Promise<Outgoing> {
  if (stored === 'gzip') return wants.gzip ? asStored(content, true) : unpackContent(content, wants);
  return wants.gzip && wants.version === 2 ? squeezeContent(content) : asStored(content, false);
}

function asStored(content: ChunkContent, gzipped: boolean): Outgoing {
  if (content.kind === 'inline') return { kind: 'plain', bytes: content.bytes, gzipped };
  return { kind: 'blocks', lengthBytes: content.sizeBytes, blocks: content.blocks, gzipped };
}

async function squeezeContent(content: ChunkContent): Promise<Outgoing> {
  if (content.kind === 'inline') {
    return { kind: 'plain', bytes: await squeeze(content.bytes, { level: squeezeLevel }), gzipped: true };
  }
  return { kind: 'stream', pieces: through(content.blocks, createGzip({ level: squeezeLevel })), gzipped: true };
}

/** Bytes that claim to be gzip and are not go out as they came in, claim included: only their sender can mend them. */
async function unpackContent(content: ChunkContent, { notGzip, chunk }: Wanted): Promise<Outgoing> {
  if (notGzip.has(chunk)) return asStored(content, true);
  const unpacked = (blocks: AsyncIterable<BodyBlock>): Outgoing => {
    const coder = createGunzip();
    coder.once('error', (error) => {
      if (isCodingError(error)) notGzip.add(chunk);
    });
    return { kind: 'stream', pieces: through(blocks, coder), gzipped: false };
  };
  if (content.kind === 'inline') {
    try {
      const bytes = await unpack(content.bytes, { maxOutputLength: unpackedBytesMax });
      return { kind: 'plain', bytes, gzipped: false };
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') return asStored(content, true);
      return unpacked(once(content.bytes));
    }
  }
  const { first, rest } = await peek(content.blocks);
  if (first === undefined || !(await beginsAsGzip(first.bytes))) {
    return { kind: 'blocks', lengthBytes: content.sizeBytes, blocks: rest, gzipped: true };
  }
  return unpacked(rest);
}

/** Of the coder itself, and not of what feeds it. */
function isCodingError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('Z_');
}

/** Tries the beginning only: what is wrong further on is found when the answer is under way, and cuts it off. */
async function beginsAsGzip(bytes: Uint8Array): Promise<boolean> {
  const beginning = bytes.subarray(0, triedBytes);
  try {
    await unpack(beginning, { maxOutputLength: unpackedBytesMax, finishFlush: constants.Z_SYNC_FLUSH });
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<BodyBlock> {
  yield await Promise.resolve({ bytes, release: () => undefined });
}

/**
 * Reads the first block and gives all of them again. `return` lets go of what was read also where nothing was asked for
 * yet; a generator that never started would leave its file open and its block out of the pool.
 */
async function peek(
  blocks: AsyncIterable<BodyBlock>,
): Promise<{ first: BodyBlock | undefined; rest: AsyncIterable<BodyBlock> }> {
  const iterator = blocks[Symbol.asyncIterator]();
  let held: IteratorResult<BodyBlock> | undefined = await iterator.next();
  const first = held.done === true ? undefined : held.value;
  const rest: AsyncIterator<BodyBlock> = {
    next() {
      const step = held;
      held = undefined;
      return step === undefined ? iterator.next() : Promise.resolve(step);
    },
    async return() {
      if (held?.done === false) held.value.release();
      held = undefined;
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
  return { first, rest: { [Symbol.asyncIterator]: () => rest } };
}

/** Passes blocks through a coder; `return` lets go of the blocks also where nothing was asked for yet. */
function through(
  blocks: AsyncIterable<BodyBlock>,
  coder: ReturnType<typeof createGzip> | ReturnType<typeof createGunzip>,
): AsyncIterable<Uint8Array> {
  const coded = codedPieces(blocks, coder);
  let started = false;
  const pieces: AsyncIterator<Uint8Array> = {
    next() {
      started = true;
      return coded.next();
    },
    async return() {
      if (started) return coded.return(undefined);
      started = true;
      coder.destroy();
      await blocks[Symbol.asyncIterator]().return?.();
      return coded.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => pieces };
}

/**
 * Feeds blocks through a coder one at a time: what is in flight is a block and the coder's own window. Once it ends, for
 * whatever reason, the blocks are let go of too.
 */
async function* codedPieces(
  blocks: AsyncIterable<BodyBlock>,
  coder: ReturnType<typeof createGzip> | ReturnType<typeof createGunzip>,
): AsyncGenerator<Uint8Array> {
  const feed = async (): Promise<void> => {
    try {
      for await (const block of blocks) {
        await written(coder, block.bytes);
        block.release();
      }
      coder.end();
    } catch (error) {
      coder.destroy(error instanceof Error ? error : new Error('the body could not be read'));
    }
  };
  const fed = feed();
  try {
    for await (const piece of coder) yield piece as Uint8Array;
  } finally {
    coder.destroy();
    await fed;
  }
}

/** Resolves when the coder has taken the bytes. One that is destroyed with a write under way never calls back for it. */
function written(coder: ReturnType<typeof createGzip> | ReturnType<typeof createGunzip>, bytes: Uint8Array) {
  return new Promise<void>((resolve, reject) => {
    const onClose = (): void => reject(new Error('the coder was closed'));
    coder.once('close', onClose);
    coder.write(bytes, (error) => {
      coder.off('close', onClose);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
