import { dirname, join } from 'node:path';
import {
  type Bodies,
  type BodyBlock,
  BodyFault,
  type BodyKey,
  type BodyListing,
  type BodyRef,
  type BodyShape,
  type BodySink,
  digestBlockBytes,
} from '../bodies.ts';
import { type ReadRoom, readBody } from '../transfer/block-reader.ts';
import { type BodyPlace, newPlace, placeOfRef, refOf } from '../transfer/body-key.ts';
import { BufferPool } from '../transfer/buffer-pool.ts';
import { HashCrew, hashThreadsDefault } from '../transfer/hash-crew.ts';
import { OpenCalls } from '../transfer/open-calls.ts';
import { SeedShelf } from '../transfer/seed-shelf.ts';
import { listBodies } from './body-listing.ts';
import { DiskBodySink } from './body-sink.ts';
import { diskFault } from './disk-fault.ts';
import { DurableDirectories } from './durable-directories.ts';
import { openBlocks } from './file-blocks.ts';
import { errorCode, type FileSystem, type OpenFile } from './file-system.ts';
import type { SinkRoom } from './sink-room.ts';
import { SpaceGuard } from './space-guard.ts';

const pieceBytes = 1024 * 1024;
const seedBytes = 64 * 1024;
/** Files removed at a time. */
const removalsMax = 16;

/** Bodies being written at a time, a seed of 64 KiB and a descriptor each: 64 MiB at most. */
const openSinksMaxDefault = 1024;

/** 96 MiB in all: 12 blocks for readers and 48 pieces for writers. */
export const blockBuffersDefault = 24;

export interface DiskBodiesOptions {
  /** Directory of the store, an absolute path; made if it is missing. */
  readonly root: string;
  readonly fileSystem: FileSystem;
  /** Directories of others, whose file systems keep the reserve as well: small bodies and records go into the ledger. */
  readonly besides?: readonly string[];
  /** Bytes of the file system that bodies leave free. */
  readonly reserveBytes: number;
  /** Memory for transfers in buffers of 4 MiB, at least 2: half of it for readers, half for writers. */
  readonly blockBuffers: number;
  /** The machine clock. */
  readonly clock: { nowMs(): number };
  /** 16–64 characters of 0-9 and a-z, never the same twice. */
  readonly randomKey: () => string;
  /** Threads that hash; `hashThreadsDefault()` when absent. */
  readonly hashThreads?: number;
  /** Bodies being written at a time; `openSinksMaxDefault` when absent. */
  readonly openSinksMax?: number;
  /** Told of each failed flush, after which the disk should be looked at. */
  readonly onFlushFailure?: (fault: BodyFault) => void;
}

/**
 * The body store on a local disk: one file a body, named by the day it came.
 *
 * Memory. Transfers share `blockBuffers` × 4 MiB of shared memory, made on first use. Readers and writers have a half
 * each, so neither can take the other's. Each of `openSinksMax` open sinks may have one seed of 64 KiB besides; it takes a piece of 1 MiB
 * from the pool only when the seed overflows and holds no other while it waits. Whoever sits on pool memory without
 * working on it — a sink whose sender is slow, a reader's block read ahead — gives it back as soon as another waits.
 * What a reader's consumer is sending cannot be taken away, until the server's stall timeout: so a part of the readers'
 * half is handed on in copies of 64 KiB only, and slow consumers leave it to the others.
 */
export async function createDiskBodies(options: DiskBodiesOptions): Promise<Bodies> {
  if (!Number.isInteger(options.blockBuffers) || options.blockBuffers < 2) {
    throw new RangeError('blockBuffers is a whole number of at least 2');
  }
  try {
    await makeDurable(options.fileSystem, options.root);
  } catch (error) {
    throw diskFault('opening the body store', error);
  }
  return new DiskBodies(options);
}

/** Makes a directory and those above it that are missing, each flushed into its parent. */
async function makeDurable(fileSystem: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  try {
    await fileSystem.makeDirectory(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeDurable(fileSystem, parent);
    await fileSystem.makeDirectory(path);
  }
  await fileSystem.syncDirectory(parent);
}

class DiskBodies implements Bodies {
  readonly #options: DiskBodiesOptions;
  readonly #directories: DurableDirectories;
  readonly #sinkRoom: SinkRoom;
  readonly #readRoom: ReadRoom;
  readonly #sinks = new Set<BodySink>();
  /** Sinks whose file is being made. */
  #beginning = 0;
  readonly #open = new OpenCalls();

  constructor(options: DiskBodiesOptions) {
    this.#options = options;
    const onFlushFailure = options.onFlushFailure ?? (() => undefined);
    this.#directories = new DurableDirectories(options.root, options.fileSystem, onFlushFailure);
    const forReaders = Math.floor(options.blockBuffers / 2);

    const pieces = ((options.blockBuffers - forReaders) * digestBlockBytes) / pieceBytes;
    this.#sinkRoom = {
      fileSystem: options.fileSystem,
      seeds: new SeedShelf(seedBytes),
      pieces: new BufferPool({ bufferBytes: pieceBytes, limit: pieces }),
      crew: new HashCrew(options.hashThreads ?? hashThreadsDefault()),
      space: new SpaceGuard(options),
      onFlushFailure,
      onEnd: (sink) => this.#sinks.delete(sink),
    };
    this.#readRoom = {
      blocks: new BufferPool({ bufferBytes: digestBlockBytes, limit: forReaders }),
      assertOpen: () => this.#open.assertOpen(),
      sources: new Set(),
      faultOf: diskFault,
    };
  }

  create(key?: BodyKey): Promise<BodySink> {
    return this.#open.during(async () => {
      const openMax = this.#options.openSinksMax ?? openSinksMaxDefault;
      if (this.#sinks.size + this.#beginning >= openMax) {
        throw new BodyFault('busy', `${openMax} bodies are being written, and there is no room for more`);
      }
      this.#beginning += 1;
      try {
        await this.#sinkRoom.space.admit(0);
        const place = newPlace(this.#options.clock.nowMs(), this.#options.randomKey());
        const directory = join(this.#options.root, place.day, place.fan);
        const path = join(directory, place.name);
        const file = await this.#createFile(place, path);
        const sink = new DiskBodySink(this.#sinkRoom, { ref: refOf(place), path, directory, file, key });
        this.#sinks.add(sink);
        return sink;
      } catch (error) {
        throw diskFault('creating a body', error);
      } finally {
        this.#beginning -= 1;
      }
    });
  }

  read(ref: BodyRef, shape: BodyShape, key?: BodyKey): AsyncIterable<BodyBlock> {
    const place = placeOfRef(ref);
    const path = place && join(this.#options.root, place.day, place.fan, place.name);
    return readBody(this.#readRoom, () => openBlocks(this.#sinkRoom, path), shape, key);
  }

  remove(refs: readonly BodyRef[]): Promise<void> {
    return this.#open.during(async () => {
      const outcomes: PromiseSettledResult<void>[] = [];
      for (let start = 0; start < refs.length; start += removalsMax) {
        const some = refs.slice(start, start + removalsMax);
        outcomes.push(...(await Promise.allSettled(some.map((ref) => this.#removeOne(ref)))));
      }
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    });
  }

  list(beforeMs: number): AsyncIterable<BodyListing> {
    const { root, fileSystem, clock } = this.#options;
    return listBodies({ root, fileSystem, clock, onTidied: () => this.#directories.forget() }, beforeMs);
  }

  freeBytes(): Promise<number> {
    return this.#open.during(async () => {
      try {
        return await this.#sinkRoom.space.freeBytes();
      } catch (error) {
        throw diskFault('measuring free space', error);
      }
    });
  }

  close(): Promise<void> {
    const { pieces: writing, crew } = this.#sinkRoom;
    return this.#open.close({ sinks: this.#sinks, writing, reading: this.#readRoom, crew });
  }

  async #createFile(place: BodyPlace, path: string): Promise<OpenFile> {
    const attempt = async () => {
      await this.#directories.ensure([place.day, place.fan]);
      return this.#options.fileSystem.create(path);
    };
    try {
      return await attempt();
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      // Someone took the directory away since it was made: once more from the start.
      this.#directories.forget();
      return attempt();
    }
  }

  async #removeOne(ref: BodyRef): Promise<void> {
    const place = placeOfRef(ref);
    if (place === undefined) return;
    try {
      await this.#options.fileSystem.unlink(join(this.#options.root, place.day, place.fan, place.name));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw diskFault(`removing body ${ref}`, error);
    }
  }
}
