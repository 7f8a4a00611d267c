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
import { dayOf, newPlace, placeOfRef, refOf } from '../transfer/body-key.ts';
import { BufferPool } from '../transfer/buffer-pool.ts';
import { HashCrew, hashThreadsDefault } from '../transfer/hash-crew.ts';
import { OpenCalls } from '../transfer/open-calls.ts';
import { SeedShelf } from '../transfer/seed-shelf.ts';
import { openObject } from './object-blocks.ts';
import type { ObjectStore } from './object-store.ts';
import { s3Fault } from './s3-fault.ts';
import { S3BodySink, type SinkRoom } from './s3-sink.ts';

/** Two digest blocks; a store takes parts from 5 MiB on, and 10,000 of them: bodies of up to 80 GiB. */
const partBytes = 2 * digestBlockBytes;
const seedBytes = 64 * 1024;
/** Bodies being written at a time, a seed of 64 KiB each. */
const openSinksMaxDefault = 1024;
/** An upload in parts that is older is nobody's: a request ends within a day. */
const abandonedUploadMs = 2 * 86_400_000;
const lastDayMs = Date.UTC(9999, 11, 31);

export interface S3BodiesOptions {
  readonly objects: ObjectStore;
  /** Memory for transfers in buffers of 4 MiB, at least 2: half of it for readers, half for writers. */
  readonly blockBuffers: number;
  /** The machine clock. */
  readonly clock: { nowMs(): number };
  /** 16–64 characters of 0-9 and a-z, never the same twice. */
  readonly randomKey: () => string;
  /** Bytes that may still be written to the disk of the ledger, which small bodies go to; Infinity when absent. */
  readonly freeBytes?: () => Promise<number>;
  readonly hashThreads?: number;
  readonly openSinksMax?: number;
}

/**
 * The body store on S3: one object a body, under a fresh key that begins with the day it came. No object is ever
 * written twice, so nothing depends on conditions or on what a store makes of two writers.
 */
export function createS3Bodies(options: S3BodiesOptions): Bodies {
  if (!Number.isInteger(options.blockBuffers) || options.blockBuffers < 2) {
    throw new RangeError('blockBuffers is a whole number of at least 2');
  }
  return new S3Bodies(options);
}

class S3Bodies implements Bodies {
  readonly #options: S3BodiesOptions;
  readonly #sinkRoom: SinkRoom;
  readonly #readRoom: ReadRoom;
  readonly #sinks = new Set<BodySink>();
  readonly #open = new OpenCalls();

  constructor(options: S3BodiesOptions) {
    this.#options = options;
    const forReaders = Math.floor(options.blockBuffers / 2);
    const parts = Math.max(1, Math.floor(((options.blockBuffers - forReaders) * digestBlockBytes) / partBytes));
    this.#sinkRoom = {
      objects: options.objects,
      seeds: new SeedShelf(seedBytes),
      parts: new BufferPool({ bufferBytes: partBytes, limit: parts }),
      crew: new HashCrew(options.hashThreads ?? hashThreadsDefault()),
      freshKey: () => refOf(newPlace(options.clock.nowMs(), options.randomKey())),
      onEnd: (sink) => this.#sinks.delete(sink),
    };
    this.#readRoom = {
      blocks: new BufferPool({ bufferBytes: digestBlockBytes, limit: forReaders }),
      assertOpen: () => this.#open.assertOpen(),
      sources: new Set(),
      faultOf: s3Fault,
    };
  }

  async create(key?: BodyKey): Promise<BodySink> {
    this.#open.assertOpen();
    const openMax = this.#options.openSinksMax ?? openSinksMaxDefault;
    if (this.#sinks.size >= openMax) {
      throw new BodyFault('busy', `${openMax} bodies are being written, and there is no room for more`);
    }
    const sink = new S3BodySink(this.#sinkRoom, this.#sinkRoom.freshKey(), key);
    this.#sinks.add(sink);
    return sink;
  }

  read(ref: BodyRef, shape: BodyShape, key?: BodyKey): AsyncIterable<BodyBlock> {
    const place = placeOfRef(ref);
    const known = place && refOf(place);
    return readBody(this.#readRoom, () => openObject(this.#sinkRoom, known, shape.sizeBytes), shape, key);
  }

  remove(refs: readonly BodyRef[]): Promise<void> {
    return this.#open.during(async () => {
      try {
        await this.#options.objects.remove(refs.filter((ref) => placeOfRef(ref) !== undefined));
      } catch (error) {
        throw s3Fault('removing bodies', error);
      }
    });
  }

  /** Uploads in parts that nobody will complete any more are aborted on the way. */
  async *list(beforeMs: number): AsyncGenerator<BodyListing, void, void> {
    this.#open.assertOpen();
    const lastDay = dayOf(Math.min(Math.max(beforeMs, 0), lastDayMs));
    try {
      await this.#abortAbandoned(beforeMs);
      for await (const { name } of this.#options.objects.list()) {
        const place = placeOfRef(name as BodyRef);
        if (place === undefined) continue;
        // Names come in order, and begin with the day.
        if (place.day > lastDay) return;
        if (place.createdAtMs < beforeMs) yield { ref: refOf(place), createdAtMs: place.createdAtMs };
      }
    } catch (error) {
      throw s3Fault('listing bodies', error);
    }
  }

  freeBytes(): Promise<number> {
    return this.#open.during(() => this.#options.freeBytes?.() ?? Promise.resolve(Number.POSITIVE_INFINITY));
  }

  async close(): Promise<void> {
    const { parts: writing, crew } = this.#sinkRoom;
    await this.#open.close({ sinks: this.#sinks, writing, reading: this.#readRoom, crew });
    this.#options.objects.close();
  }

  async #abortAbandoned(beforeMs: number): Promise<void> {
    const before = Math.min(beforeMs, this.#options.clock.nowMs() - abandonedUploadMs);
    for await (const upload of this.#options.objects.openUploads()) {
      const place = placeOfRef(upload.name as BodyRef);
      if (place !== undefined && place.createdAtMs < before) await this.#options.objects.abortParts(upload);
    }
  }
}
