// Runs in a worker thread: SHA-256 of shared memory, so that a large body is hashed while the main thread talks TLS.
import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/**
 * One step of a lane. A lane is one running SHA-256; its first job opens it. `end`: 'none' goes on, 'peek' answers the
 * digest so far and goes on, 'final' answers the digest and closes the lane, 'drop' closes it unfinished.
 */
export interface HashJob {
  readonly job: number;
  readonly lane: number;
  readonly bytes: Uint8Array;
  readonly end: 'none' | 'peek' | 'final' | 'drop';
}

export interface HashAnswer {
  readonly job: number;
  /** Lower-case hex; '' when the job asked for no digest. */
  readonly digest: string;
}

const lanes = new Map<number, Hash>();

function work({ lane, bytes, end }: HashJob): string {
  const hash = lanes.get(lane) ?? createHash('sha256');
  lanes.set(lane, hash);
  if (bytes.length > 0) hash.update(bytes);
  switch (end) {
    case 'none':
      return '';
    case 'peek':
      return hash.copy().digest('hex');
    case 'final':
      lanes.delete(lane);
      return hash.digest('hex');
    case 'drop':
      lanes.delete(lane);
      return '';
  }
}

const port = parentPort;
if (port === null) throw new Error('hash-worker runs in a worker thread only');
port.on('message', (job: HashJob) => {
  port.postMessage({ job: job.job, digest: work(job) } satisfies HashAnswer);
});
