import { blockTagLength } from '../block-cipher.ts';
import { type BodyBlock, BodyFault, type BodyKey, type BodyShape, digestBlockBytes } from '../bodies.ts';
import { type BlockOpening, smallBlockBytes } from './arriving-block.ts';
import type { BufferPool, IdleHolder } from './buffer-pool.ts';

const digestLength = 64;
/** What a consumer gets at a time of a block that is not lent to it, bytes: as much memory as a small body has. */
const copiedBytesMax = smallBlockBytes;
/** How long such a block is kept for a consumer that does not come for more of it while another reader waits, ms. */
const patienceMs = 100;

/** Where the bytes of one body come from. */
export interface BlockOrigin {
  /**
   * Fills `bytes` with what lies from `start` on and answers its SHA-256, lower-case hex; with an `opening` they are
   * decrypted, and the answer is the block's tag, or '' where they are not what was sealed. Settles when nobody looks at the memory any
   * more. Rejects with `BodyFault` 'corrupt' where the body ends too early.
   */
  fetch(bytes: Buffer, start: number, block: number, opening: BlockOpening | undefined): Promise<string>;
  close(): Promise<void>;
}

/** What the readers of one store share. */
export interface ReadRoom {
  readonly blocks: BufferPool;
  /** Throws `BodyFault` when the store is closed. */
  readonly assertOpen: () => void;
  /** The bodies being read, for the store to close when it closes. */
  readonly sources: Set<{ close(): Promise<void> }>;
  /** Turns what the store's medium threw into the fault the port promises. */
  readonly faultOf: (doing: string, error: unknown, block?: number) => BodyFault;
}

/**
 * Yields the verified blocks of the body that `open` opens. The consumer releases a block before it asks for the next; a block
 * it still holds when it stops reading is taken out of the pool, never handed to another body.
 *
 * A consumer is as slow as its peer. Once most of the pool is in the hands of consumers, a block is handed on in copied
 * pieces instead: between two of them another reader that waits can have the block, which is read again when its turn comes.
 */
export async function* readBody(
  room: ReadRoom,
  open: () => Promise<BlockOrigin>,
  shape: BodyShape,
  key?: BodyKey,
): AsyncGenerator<BodyBlock, void, void> {
  const digests = key === undefined ? blockDigestsOf(shape) : blockTagsOf(shape);
  room.assertOpen();
  const source = new BlockSource(room, await open(), { shape, digests, key });
  try {
    for (let block = 0; block < digests.length; block += 1) {
      room.assertOpen();
      const loaded = await source.load(block);
      if (loaded.pooled && !room.blocks.lend()) {
        yield* source.copies(block, loaded);
        continue;
      }
      const lease = new BlockLease(loaded, (memory) => source.giveBack(memory));
      source.readAhead(block + 1);
      try {
        yield lease;
        assertReleased(lease);
      } finally {
        if (loaded.pooled) room.blocks.unlend();
        if (!lease.released) source.forget(loaded);
        lease.end();
      }
    }
  } finally {
    await source.close();
  }
}

/**
 * Calls back when patience is over, unless the answer is called first. A busy process sees to what its sockets say before:
 * else a consumer would be called slow because we are.
 */
function afterPatience(run: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(run);
  }, patienceMs);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

function assertReleased(lease: BlockLease): void {
  if (!lease.released) throw new Error('release a block before asking for the next');
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
  readonly #loaded: Loaded;
  readonly #giveBack: (loaded: Loaded) => void;
  #released = false;
  constructor(loaded: Loaded, giveBack: (loaded: Loaded) => void) {
    this.bytes = loaded.bytes;
    this.#loaded = loaded;
    this.#giveBack = giveBack;
  }
  get released(): boolean {
    return this.#released;
  }
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#giveBack(this.#loaded);
  }
  /** A release that comes after the reader let go of the memory changes nothing. */
  end(): void {
    this.#released = true;
  }
}

/** Loads blocks of one body, at most one ahead of the consumer. */
class BlockSource implements IdleHolder {
  readonly #room: ReadRoom;
  readonly #origin: BlockOrigin;
  readonly #shape: BodyShape;
  readonly #digests: readonly string[];
  readonly #key: BodyKey | undefined;
  #ahead: Promise<Loaded> | undefined;
  #settledAhead: Loaded | undefined;
  /** The block whose copies are being handed on, unless it was given up. */
  #copied: Loaded | undefined;
  #closing: Promise<void> | undefined;

  constructor(room: ReadRoom, origin: BlockOrigin, { shape, digests, key }: KnownBody) {
    this.#room = room;
    this.#origin = origin;
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
    if (this.#shape.sizeBytes <= smallBlockBytes) {
      return this.#fill(block, { memory: Buffer.allocUnsafe(this.#shape.sizeBytes), pooled: false });
    }
    return this.#fill(block, { memory: await this.#room.blocks.take(), pooled: true });
  }

  /** Hands on a block in pieces of memory of their own, the same for each of them. */
  async *copies(block: number, loaded: Loaded): AsyncGenerator<BodyBlock, void, void> {
    const { length } = loaded.bytes;
    const own = Buffer.alloc(Math.min(length, copiedBytesMax));
    this.#copied = loaded;
    for (let at = 0; at < length; at += own.length) {
      this.#room.assertOpen();
      this.#copied ??= await this.load(block);
      const bytes = own.subarray(0, this.#copied.bytes.copy(own, 0, at));
      if (at + bytes.length === length) this.giveUp();
      const lease = new BlockLease({ memory: own, bytes, pooled: false }, () => undefined);
      const endPatience = afterPatience(() => this.#room.blocks.markIdle(this));
      try {
        yield lease;
        assertReleased(lease);
      } finally {
        endPatience();
        this.#room.blocks.unmarkIdle(this);
        lease.end();
      }
    }
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

  /** Another reader waits: the block read ahead, or handed on in copies, is dropped and read again when it is asked for. */
  giveUp(): void {
    const loaded = this.#settledAhead ?? this.#copied;
    this.#ahead = undefined;
    this.#settledAhead = undefined;
    this.#copied = undefined;
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
    // Taken away first: what is still on its way would else be offered to others, and be given back twice.
    const reading = this.#ahead;
    this.#ahead = undefined;
    this.#settledAhead = undefined;
    this.#room.blocks.unmarkIdle(this);
    const ahead = await reading?.catch(() => undefined);
    if (ahead !== undefined) this.giveBack(ahead);
    this.giveUp();
    await this.#origin.close().catch((error) => {
      throw this.#room.faultOf('closing a body', error);
    });
  }

  async #fill(block: number, { memory, pooled }: { memory: Buffer; pooled: boolean }): Promise<Loaded> {
    try {
      const start = block * digestBlockBytes;
      const bytes = memory.subarray(0, Math.min(digestBlockBytes, this.#shape.sizeBytes - start));
      const expected = this.#digests[block] ?? '';
      const opening = this.#key === undefined ? undefined : { key: this.#key, block, tag: expected };
      const digest = await this.#origin.fetch(bytes, start, block, opening);
      if (digest !== expected) throw new BodyFault('corrupt', `block ${block} is not what was stored`, { block });
      return { memory, bytes, pooled };
    } catch (error) {
      if (pooled) this.#room.blocks.give(memory);
      throw this.#room.faultOf('reading a body', error, block);
    }
  }
}
