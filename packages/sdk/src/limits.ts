import { chunkBytesMax } from '@openmesh/protocol';

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Every limit a client keeps, each with its unit. All may be set; none can be turned off. */
export interface Limits {
  /** Name look-up, proxy and TLS together. */
  readonly connectMs: number;
  /** Nothing sent or received for so long ends a request. */
  readonly idleMs: number;
  /** A whole request without payload, and its answer. */
  readonly answerMs: number;
  /** A whole request that carries one chunk, either way. */
  readonly chunkMs: number;
  /** An open connection that nothing uses is closed after so long: sooner than servers close theirs. */
  readonly idleSocketMs: number;
  /** Connections side by side. */
  readonly sockets: number;
  /** All headers of one answer together. */
  readonly headerBytes: number;
  /** A JSON answer. */
  readonly jsonBytes: number;
  /** The body of a refusal; what is beyond is not read. */
  readonly refusalBytes: number;
  /** Source bytes of one chunk of an upload, before compression. */
  readonly chunkBytes: number;
  /** Chunks of one upload sent at the same time, where the service takes them in any order. */
  readonly parallelChunks: number;
  /** A whole message received, unpacked. */
  readonly downloadBytes: number;
  /** Pages of one walk through an inbox. */
  readonly inboxPages: number;
  /** Time between two reports of progress. */
  readonly progressMs: number;
  /** How often a lost send is looked for before it counts as not found: a service may list it late. */
  readonly lostSendLooks: number;
  /** Time between two of those looks. */
  readonly lostSendLookMs: number;
  /** How long a handshake is good for before the next is made by itself. */
  readonly handshakeMs: number;
}

export const defaultLimits: Limits = {
  connectMs: 30 * SECOND_MS,
  idleMs: 2 * MINUTE_MS,
  answerMs: 5 * MINUTE_MS,
  chunkMs: 2 * HOUR_MS,
  idleSocketMs: 4 * SECOND_MS,
  sockets: 8,
  headerBytes: 32 * KIB,
  jsonBytes: 16 * MIB,
  refusalBytes: 64 * KIB,
  chunkBytes: 50 * MIB,
  parallelChunks: 4,
  downloadBytes: 100_000_000_000,
  inboxPages: 10_000,
  progressMs: 250,
  lostSendLooks: 3,
  lostSendLookMs: 20 * SECOND_MS,
  handshakeMs: 23 * HOUR_MS,
};

/** What gzip may add to bytes that cannot be made smaller, so that a packed chunk stays within the wire's limit. */
const gzipGrowthBytes = MIB;

/** The largest value that makes sense for each limit that has one. */
const ceilings: Partial<Limits> = { chunkBytes: chunkBytesMax - gzipGrowthBytes, parallelChunks: 32, sockets: 256 };

/** The defaults with `given` in their place. Throws a RangeError that names the limit which is no positive number. */
export function settleLimits(given: Partial<Limits> = {}): Limits {
  const limits = { ...defaultLimits };
  for (const name of Object.keys(defaultLimits) as (keyof Limits)[]) {
    const value = given[name];
    if (value === undefined) continue;
    const ceiling = ceilings[name] ?? Number.MAX_SAFE_INTEGER;
    if (!Number.isSafeInteger(value) || value < 1 || value > ceiling) {
      throw new RangeError(`the limit ${name} must be a whole number from 1 to ${ceiling}`);
    }
    Object.assign(limits, { [name]: value });
  }
  return limits;
}
