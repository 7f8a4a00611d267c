// Runs in a worker thread: SHA-256 and encryption of shared memory, so that a large body is worked on while the main
// thread talks TLS.
import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { BlockOpener, BlockSealer } from '../block-cipher.ts';
import type { BodyKey } from '../bodies.ts';

/** What a lane does with its bytes. */
export type LaneWork =
  | { readonly kind: 'hash' }
  /** Hashes the plain bytes of a body, then encrypts them where they lie. */
  | { readonly kind: 'seal'; readonly key: BodyKey }
  /** Decrypts one block where it lies. */
  | { readonly kind: 'open'; readonly key: BodyKey; readonly block: number; readonly tag: string };

/**
 * One step of a lane. Its first job opens it and says what it does. `end`: 'none' goes on; 'peek' answers the digest so
 * far and goes on; 'block' ends a block, answers its tag and goes on; 'final' answers and closes the lane; 'drop' closes it
 * unfinished.
 */
export interface HashJob {
  readonly job: number;
  readonly lane: number;
  /** Of the lane's first job only. */
  readonly work: LaneWork | undefined;
  readonly bytes: Uint8Array;
  readonly end: 'none' | 'peek' | 'block' | 'final' | 'drop';
}

export interface HashAnswer {
  readonly job: number;
  /**
   * Lower-case hex; '' when the job asked for none. The last of a sealing lane is the digest of all plain bytes, followed
   * by the tag of the block that was not ended yet; that of an opening lane is the block's tag, or '' when it is wrong.
   */
  readonly digest: string;
}

interface Lane {
  update(bytes: Uint8Array): void;
  /** The digest so far, or the tag of the block that ends. */
  mark(): string;
  final(): string;
}

class HashingLane implements Lane {
  readonly #hash: Hash = createHash('sha256');
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  mark(): string {
    return this.#hash.copy().digest('hex');
  }
  final(): string {
    return this.#hash.digest('hex');
  }
}

class SealingLane implements Lane {
  readonly #hash: Hash = createHash('sha256');
  readonly #sealer: BlockSealer;
  constructor(key: BodyKey) {
    this.#sealer = new BlockSealer(key);
  }
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#sealer.update(bytes);
  }
  mark(): string {
    return this.#sealer.end();
  }
  final(): string {
    return this.#hash.digest('hex') + this.#sealer.end();
  }
}

class OpeningLane implements Lane {
  readonly #opener: BlockOpener;
  constructor(key: BodyKey, block: number, tag: string) {
    this.#opener = new BlockOpener(key, block, tag);
  }
  update(bytes: Uint8Array): void {
    this.#opener.update(bytes);
  }
  mark(): string {
    throw new Error('a lane that opens has one block');
  }
  final(): string {
    return this.#opener.end();
  }
}

const lanes = new Map<number, Lane>();

function begin(work: LaneWork | undefined): Lane {
  switch (work?.kind) {
    case 'hash':
      return new HashingLane();
    case 'seal':
      return new SealingLane(work.key);
    case 'open':
      return new OpeningLane(work.key, work.block, work.tag);
    case undefined:
      throw new Error('the first job of a lane says what it does');
  }
}

function perform({ lane: number, work, bytes, end }: HashJob): string {
  const lane = lanes.get(number) ?? begin(work);
  lanes.set(number, lane);
  if (bytes.length > 0) lane.update(bytes);
  switch (end) {
    case 'none':
      return '';
    case 'peek':
    case 'block':
      return lane.mark();
    case 'final':
      lanes.delete(number);
      return lane.final();
    case 'drop':
      lanes.delete(number);
      return '';
  }
}

const port = parentPort;
if (port === null) throw new Error('hash-worker runs in a worker thread only');
port.on('message', (job: HashJob) => {
  port.postMessage({ job: job.job, digest: perform(job) } satisfies HashAnswer);
});
