import { PutObjectCommand } from '@aws-sdk/client-s3';
import { orphanBodiesJob } from '@openmesh/exchange/jobs/orphan-bodies.ts';
import { type Bodies, BodyFault, type BodyRef } from '@openmesh/exchange/store/bodies.ts';
import { get, patterned, put, sameBytes } from '@openmesh/exchange/store/body-probe.ts';
import { ObjectStore, type ObjectStoreOptions } from '@openmesh/exchange/store/s3/object-store.ts';
import { createS3Bodies } from '@openmesh/exchange/store/s3/s3-bodies.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CephStore } from '../kit/engines/ceph.ts';
import { bodiesOptions, objectOptions } from '../kit/engines/s3-bodies.ts';
import { bucketOf, type TestBucket } from '../kit/engines/test-bucket.ts';
import { type ConnectionFault, startTcpProxy } from '../kit/tcp-proxy.ts';

const dayMs = 86_400_000;
let ceph: CephStore;
let bucket: TestBucket;
let nowMs: number;
const open: Bodies[] = [];

beforeAll(async () => {
  ceph = await CephStore.start();
});
afterAll(() => ceph[Symbol.asyncDispose]());
beforeEach(async () => {
  bucket = await bucketOf(ceph);
  nowMs = Date.UTC(2026, 10, 26, 12);
});
afterEach(async () => {
  for (const bodies of open.splice(0)) await bodies.close();
  bucket.close();
});

function openBodies(more: Partial<ObjectStoreOptions> = {}): Bodies {
  const objects = new ObjectStore({ ...objectOptions(ceph, bucket.name, 'bodies'), ...more });
  const bodies = createS3Bodies({ ...bodiesOptions(objects), clock: { nowMs: () => nowMs } });
  open.push(bodies);
  return bodies;
}

async function sweep(bodies: Bodies, named: readonly BodyRef[]): Promise<void> {
  const ledger = { referencedBodies: async () => new Set(named), madeAtMs: async () => 0 };
  const machineClock = { nowMs: () => nowMs, elapsedMs: () => nowMs };
  const job = orphanBodiesJob({ ledger, bodies, machineClock, graceMs: dayMs });
  await job.run(new AbortController().signal);
}

/** Sends so much of a body that parts of it lie in the store, and then nothing more, as a node that died. */
async function leaveUnfinished(bodies: Bodies): Promise<void> {
  const sink = await bodies.create();
  await sink.write(patterned(40 * 1_048_576, 1));
}

/** Does something with a store that is reached over a network with faults. */
async function behind<Result>(
  faults: (connection: number) => readonly ConnectionFault[],
  work: (bodies: Bodies) => Promise<Result>,
  more: Partial<ObjectStoreOptions> = {},
): Promise<Result> {
  const port = Number(new URL(ceph.endpoint()).port);
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port }, faults });
  const bodies = openBodies({ endpoint: `http://127.0.0.1:${proxy.port}`, ...more });
  const result = await work(bodies);
  await bodies.close();
  return result;
}

describe('the sweep of an object store', () => {
  it('removes what no row names after a day, what was begun in parts after two, and nothing else', async () => {
    const bodies = openBodies();
    const kept = await put(bodies, patterned(100_000, 1));
    await put(bodies, patterned(100_000, 2));
    await leaveUnfinished(bodies);
    await bucket.client.send(
      new PutObjectCommand({ Bucket: bucket.name, Key: 'bodies/read-me', Body: 'of somebody else' }),
    );
    nowMs += dayMs / 2;
    const young = await put(bodies, patterned(100_000, 3));
    await leaveUnfinished(bodies);
    nowMs += dayMs / 2 + 1;
    await sweep(bodies, [kept.ref]);
    expect([...(await bucket.keys())].sort()).toEqual(
      [`bodies/${kept.ref}`, `bodies/${young.ref}`, 'bodies/read-me'].sort(),
    );
    expect(await bucket.openUploads()).toBe(2);
    nowMs += dayMs;
    await sweep(bodies, [kept.ref]);
    expect([...(await bucket.keys())].sort()).toEqual([`bodies/${kept.ref}`, 'bodies/read-me']);
    expect(await bucket.openUploads()).toBe(1);
  });
});

describe('an object store behind a bad network', () => {
  it('is asked again for a block whose bytes stopped half way', async () => {
    const bytes = patterned(9 * 1_048_576, 4);
    const body = await put(openBodies(), bytes);
    const cut = [{ kind: 'cut', direction: 'to-client', afterBytes: 1_000_000, how: 'reset' }] as const;
    const got = await behind(
      (connection) => (connection < 2 ? cut : []),
      (bodies) => get(bodies, body.ref, body),
    );
    expect(sameBytes(got, bytes)).toBe(true);
  });

  it('is asked again when it falls silent in the middle of a block', async () => {
    const bytes = patterned(9 * 1_048_576, 8);
    const body = await put(openBodies(), bytes);
    const silence = [{ kind: 'silence', direction: 'to-client', afterBytes: 1_000_000 }] as const;
    const got = await behind(
      (connection) => (connection === 0 ? silence : []),
      (bodies) => get(bodies, body.ref, body),
      { silenceMsMax: 3000 },
    );
    expect(sameBytes(got, bytes)).toBe(true);
  });

  it('is never believed when the network changed a byte of what it was sent', async () => {
    const flip = [{ kind: 'corrupt', direction: 'to-server', atByte: 500_000, mask: 1 }] as const;
    const bytes = patterned(1_000_000, 5);
    const stored = await behind(
      () => flip,
      (bodies) => put(bodies, bytes).catch((error: unknown) => error),
    );
    expect(stored).toBeInstanceOf(BodyFault);
    expect(await bucket.keys()).toEqual([]);
  });

  it('takes a body again when the connection is cut while it is sent', async () => {
    const cut = [{ kind: 'cut', direction: 'to-server', afterBytes: 3_000_000, how: 'reset' }] as const;
    const bytes = patterned(20 * 1_048_576, 6);
    const body = await behind(
      (connection) => (connection === 0 ? cut : []),
      (bodies) => put(bodies, bytes),
    );
    expect(sameBytes(await get(openBodies(), body.ref, body), bytes)).toBe(true);
    expect(await bucket.openUploads()).toBe(0);
  });

  it('leaves nothing and says so when it stays away', async () => {
    const cut = [{ kind: 'cut', direction: 'to-server', afterBytes: 100, how: 'end' }] as const;
    const fault = await behind(
      () => cut,
      (bodies) => put(bodies, patterned(20 * 1_048_576, 7)).catch((error: unknown) => error),
    );
    expect(fault).toMatchObject({ name: 'BodyFault', kind: 'io' });
    expect(await bucket.keys()).toEqual([]);
  });
});
