import { createHash } from 'node:crypto';
import { BlockOpener, blockTagLength } from '../block-cipher.ts';
import { type BodyBlock, BodyFault, type BodyKey, type BodyShape, digestBlockBytes } from '../bodies.ts';
import type { BufferPool, IdleHolder } from './buffer-pool.ts';
import { diskFault } from './disk-fault.ts';
import { errorCode, type FileSystem, type OpenFile } from './file-system.ts';
import type { HashCrew } from './hash-crew.ts';

/** A body up to this size is read into memory of its own and hashed on the calling thread. */
export const smallReadBytes = 64 * 1024;
const digestLength = 64;
/** A block is read and hashed in parts of this size, the one beside the other. */
const readPartBytes = 1024 * 1024;

/** What the readers of one store share. */
export interface ReadRoom {
  readonly fileSystem: FileSystem;
  readonly blocks: BufferPool;
  readonly crew: HashCrew;
  /** Throws `BodyFault` when the store is closed. */
  readonly assertOpen: () => void;
  /** The files being read, for the store to close when it closes. */
  readonly sources: Set<{ close(): Promise<void> }>;
}

/**
 * Yields the verified blocks of the file at `path`, undefined for a name the store never gave. The consumer releases a block before it asks for the next; a block
 * it still holds when it stops reading is taken out of the pool, never handed to another body.
 */
export async function* readBody(
  room: ReadRoom,
  path: string | undefined,
  shape: BodyShape,
  key?: BodyKey,
): AsyncGenerator<BodyBlock, void, void> {
  const digests = key === undefined ? blockDigestsOf(shape) : blockTagsOf(shape);
  room.assertOpen();
  if (path === undefined) throw new BodyFault('missing', 'no body of this name');
  const file = await room.fileSystem.open(path).catch((error) => {
    if (errorCode(error) === 'ENOENT') throw new BodyFault('missing', 'no body of this name', { cause: error });
    throw diskFault('opening a body', error);
  });
  const source = new BlockSource(room, file, { shape, digests, key });
  try {
    for (let block = 0; block < digests.length; block += 1) {
      room.assertOpen();
      const lease = new BlockLease(await source.load(block), (memory) => source.giveBack(memory));
      source.readAhead(block + 1);
      try {
        yield lease;
        if (!lease.released) throw new Error('release a block before asking for the next');
      } finally {
        if (!lease.released) source.forget(lease.memory);
        lease.end();
      }
    }
  } finally {
    await source.close();
  }
}

/** The digest of each block, in order; none for an empty body. */
function blockDigestsOf({ sizeBytes, sha256, blockDigests }: BodyShape): readonly string[] {
  const count = Math.ceil(sizeBytes / digestBlockBytes);
  if (count === 1 && blockDigests === '') return [sha256];
  if (blockDigests.length !== (count === 1 ? 0 : count * digestLength)) {
    throw new RangeError('the shape has another number of block digests than the size asks for');
  }
  return Array.from({ length: count }, (_, n) => blockDigests.slice(n * digestLength, (n + 1) * digestLength));
}

/** The tag of each encrypted block, in order; none for an empty body. */
function blockTagsOf({ sizeBytes, blockDigests }: BodyShape): readonly string[] {
  const count = Math.ceil(sizeBytes / digestBlockBytes);
  if (blockDigests.length !== count * blockTagLength) {
    throw new RangeError('the shape has another number of block tags than the size asks for');
  }
  return Array.from({ length: count }, (_, n) => blockDigests.slice(n * blockTagLength, (n + 1) * blockTagLength));
}

/** What is known of the body that is read. */
interface KnownBody {
  readonly shape: BodyShape;
  /** What each block is checked with: digests, or tags where there is a key. */
  readonly digests: readonly string[];
  readonly key: BodyKey | undefined;
}

interface Loaded {
  readonly memory: Buffer;
  readonly bytes: Buffer;
  readonly pooled: boolean;
}

class BlockLease implements BodyBlock {
  readonly bytes: Uint8Array;
  readonly memory: Loaded;
  readonly #giveBack: (loaded: Loaded) => void;
  #released = false;
  constructor(memory: Loaded, giveBack: (loaded: Loaded) => void) {
    this.bytes = memory.bytes;
    this.memory = memory;
    this.#giveBack = giveBack;
  }
  get released(): boolean {
    return this.#released;
  }
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#giveBack(this.memory);
  }
  /** A release that comes after the reader let go of the memory changes nothing. */
  end(): void {
    this.#released = true;
  }
}

/** Loads blocks of one file, at most one ahead of the consumer. */
class BlockSource implements IdleHolder {
  readonly #room: ReadRoom;
  readonly #file: OpenFile;
  readonly #shape: BodyShape;
  readonly #digests: readonly string[];
  readonly #key: BodyKey | undefined;
  #ahead: Promise<Loaded> | undefined;
  #settledAhead: Loaded | undefined;
  #closing: Promise<void> | undefined;

  constructor(room: ReadRoom, file: OpenFile, { shape, digests, key }: KnownBody) {
    this.#room = room;
    this.#file = file;
    this.#shape = shape;
    this.#digests = digests;
    this.#key = key;
    room.sources.add(this);
  }

  /** The verified block: the one read ahead, or read now. */
  async load(block: number): Promise<Loaded> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    this.#settledAhead = undefined;
    this.#room.blocks.unmarkIdle(this);
    if (ahead !== undefined) return ahead;
    if (this.#shape.sizeBytes <= smallReadBytes) {
      return this.#fill(block, { memory: Buffer.allocUnsafe(this.#shape.sizeBytes), pooled: false });
    }
    return this.#fill(block, { memory: await this.#room.blocks.take(), pooled: true });
  }

  /** Starts on the next block if there is one and memory is free. */
  readAhead(block: number): void {
    if (block >= this.#digests.length) return;
    const memory = this.#room.blocks.tryTake();
    if (memory === undefined) return;
    const ahead = this.#fill(block, { memory, pooled: true });
    this.#ahead = ahead;
    // A fault is told to the consumer when it asks for this block.
    this.#offer(ahead).catch(() => undefined);
  }

  async #offer(ahead: Promise<Loaded>): Promise<void> {
    const loaded = await ahead;
    if (this.#ahead !== ahead) return;
    this.#settledAhead = loaded;
    this.#room.blocks.markIdle(this);
  }

  /** Another reader waits: the block read ahead is dropped and read again when it is asked for. */
  giveUp(): void {
    const loaded = this.#settledAhead;
    this.#ahead = undefined;
    this.#settledAhead = undefined;
    if (loaded !== undefined) this.giveBack(loaded);
  }

  giveBack({ memory, pooled }: Loaded): void {
    if (pooled) this.#room.blocks.give(memory);
  }

  forget({ pooled }: Loaded): void {
    if (pooled) this.#room.blocks.forget();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#room.sources.delete(this);
    this.#room.blocks.unmarkIdle(this);
    const ahead = await this.#ahead?.catch(() => undefined);
    if (ahead !== undefined) this.giveBack(ahead);
    await this.#file.close().catch((error) => {
      throw diskFault('closing a body', error);
    });
  }

  async #fill(block: number, { memory, pooled }: { memory: Buffer; pooled: boolean }): Promise<Loaded> {
    try {
      const start = block * digestBlockBytes;
      const bytes = memory.subarray(0, Math.min(digestBlockBytes, this.#shape.sizeBytes - start));
      const digest = pooled ? await this.#readAndHash(bytes, start, block) : await this.#readSmall(bytes);
      if (digest !== this.#digests[block])
        throw new BodyFault('corrupt', `block ${block} is not what was stored`, { block });
      return { memory, bytes, pooled };
    } catch (error) {
      if (pooled) this.#room.blocks.give(memory);
      throw diskFault('reading a body', error, block);
    }
  }

  async #readSmall(bytes: Buffer): Promise<string> {
    await this.#readFully(bytes, 0, 0);
    if (this.#key !== undefined) {
      const opener = new BlockOpener(this.#key, 0, this.#digests[0] ?? '');
      opener.update(bytes);
      return opener.end();
    }
    return createHash('sha256').update(bytes).digest('hex');
  }

  /** Each part is hashed, or decrypted where it lies, while the next is read. Settles when nobody looks at the memory any more. */
  async #readAndHash(bytes: Buffer, start: number, block: number): Promise<string> {
    const key = this.#key;
    const tag = this.#digests[block] ?? '';
    const { crew } = this.#room;
    const lane = key === undefined ? crew.lane() : crew.laneFor({ kind: 'open', key, block, tag });
    const hashing: Promise<string>[] = [];
    try {
      for (let at = 0; at < bytes.length; at += readPartBytes) {
        const part = bytes.subarray(at, at + readPartBytes);
        await this.#readFully(part, start + at, block);
        hashing.push(lane.update(part, at + readPartBytes >= bytes.length ? 'final' : 'none'));
      }
    } catch (error) {
      lane.drop();
      await Promise.allSettled(hashing);
      throw error;
    }
    return (await Promise.all(hashing)).join('');
  }

  async #readFully(bytes: Buffer, start: number, block: number): Promise<void> {
    let got = 0;
    while (got < bytes.length) {
      const count = await this.#file.read(bytes.subarray(got), start + got);
      if (count <= 0) throw new BodyFault('corrupt', `the file ends within block ${block}`, { block });
      got += count;
    }
  }
}
