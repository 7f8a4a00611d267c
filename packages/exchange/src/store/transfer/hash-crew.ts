import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BodyFault } from '../bodies.ts';
import type { HashAnswer, HashJob, LaneWork } from './hash-worker.ts';

interface Waiting {
  resolve(digest: string): void;
  reject(reason: BodyFault): void;
}

interface Member {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  ended: boolean;
}

/** A running SHA-256, encryption or decryption on one worker thread. Jobs are done in the order given. */
export interface HashLane {
  /**
   * Works on shared memory, which must not change before the promise settles; a lane that seals or opens changes it.
   * Answers '' for 'none', else hex: see `HashAnswer`.
   */
  update(bytes: Uint8Array, end: 'none' | 'peek' | 'block' | 'final'): Promise<string>;
  /** Forgets an unfinished lane. */
  drop(): void;
}

const nothing = new Uint8Array(0);
const hashing: LaneWork = { kind: 'hash' };

// The published package holds JavaScript; the source tree is run as it stands.
const workerFile = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js';

/**
 * Two threads let the digest of a body and those of its blocks run side by side; no single body can use more. Where
 * the second core is needed for the connection itself one gives the same throughput, and saves its memory.
 */
export function hashThreadsDefault(): number {
  return availableParallelism() > 2 ? 2 : 1;
}

/**
 * The threads that hash and encrypt. They are started by the first large body, so a server of small messages has none, and one
 * that ended is replaced when the next body needs it.
 */
export class HashCrew {
  readonly #size: number;
  readonly #members: Member[] = [];
  #closed = false;
  #lastJob = 0;
  #lastLane = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** A lane on the least busy thread; `apartFrom` names the lane it should not share a thread with. */
  lane(apartFrom?: HashLane): HashLane {
    const member = this.#pick(apartFrom instanceof CrewLane ? apartFrom.member : undefined);
    return new CrewLane(this, member, ++this.#lastLane, hashing);
  }

  /** A lane that encrypts a body or decrypts a block. */
  laneFor(work: LaneWork): HashLane {
    return new CrewLane(this, this.#pick(undefined), ++this.#lastLane, work);
  }

  /** The SHA-256 of one piece of shared memory, lower-case hex. */
  digest(bytes: Uint8Array): Promise<string> {
    return this.lane().update(bytes, 'final');
  }

  /** Ends the threads. Jobs not yet answered are rejected with `BodyFault` 'io'. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#members.map((member) => member.worker.terminate()));
  }

  send(member: Member, { lane, work, bytes, end }: Omit<HashJob, 'job'>): Promise<string> {
    if (member.ended) return Promise.reject(new BodyFault('io', 'a hash thread ended'));
    const job = ++this.#lastJob;
    return new Promise((resolve, reject) => {
      member.waiting.set(job, { resolve, reject });
      // Nothing is transferred: the memory is shared, and stays ours.
      member.worker.postMessage({ job, lane, work, bytes, end } satisfies HashJob, []);
    });
  }

  #pick(avoid: Member | undefined): Member {
    if (this.#closed) throw new BodyFault('io', 'the body store is closed');
    const idle = this.#members.filter((member) => member !== avoid).sort((a, b) => a.waiting.size - b.waiting.size)[0];
    if (idle !== undefined && (idle.waiting.size === 0 || this.#members.length === this.#size)) return idle;
    if (this.#members.length < this.#size) return this.#start();
    return idle ?? avoid ?? this.#start();
  }

  #start(): Member {
    const worker = new Worker(new URL(workerFile, import.meta.url), {
      name: 'openmesh-hash',
      // Flags of the main thread, such as those of an --eval, may not fit a file.
      execArgv: [],
      // The thread holds no data of its own; a small heap keeps two of them under 20 MiB.
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    const member: Member = { worker, waiting: new Map(), ended: false };
    worker.on('message', ({ job, digest }: HashAnswer) => {
      const waiting = member.waiting.get(job);
      member.waiting.delete(job);
      waiting?.resolve(digest);
    });
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      member.ended = true;
      const at = this.#members.indexOf(member);
      if (at >= 0) this.#members.splice(at, 1);
      const fault = new BodyFault('io', 'a hash thread ended', { cause });
      for (const waiting of member.waiting.values()) waiting.reject(fault);
      member.waiting.clear();
    });
    this.#members.push(member);
    return member;
  }
}

class CrewLane implements HashLane {
  readonly member: Member;
  readonly #crew: HashCrew;
  readonly #lane: number;
  /** Until the first job has told it. */
  #work: LaneWork | undefined;
  constructor(crew: HashCrew, member: Member, lane: number, work: LaneWork) {
    this.#crew = crew;
    this.member = member;
    this.#lane = lane;
    this.#work = work;
  }
  update(bytes: Uint8Array, end: HashJob['end']): Promise<string> {
    const work = this.#work;
    this.#work = undefined;
    return this.#crew.send(this.member, { lane: this.#lane, work, bytes, end });
  }
  drop(): void {
    // A lane that was never begun has nothing to forget; one dies with its thread, and nothing is left to tell.
    if (this.#work === undefined) this.update(nothing, 'drop').catch(() => undefined);
  }
}
