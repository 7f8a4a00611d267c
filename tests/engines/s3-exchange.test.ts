import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CephStore } from '../kit/engines/ceph.ts';
import { s3Environment } from '../kit/engines/s3-environment.ts';
import { bucketOf, type TestBucket } from '../kit/engines/test-bucket.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { violationsOf } from '../kit/history.ts';
import { listedIdsOf, type MeshClient, sentIdOf } from '../kit/mesh-client.ts';
import { seededRandom, seedOfRun } from '../kit/seeded-random.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const seed = seedOfRun();
/** Of an engine that is back, until everything is as it was. */
const patienceMs = 60_000;
const mailboxes = ['STOREA', 'STOREB'];
let ceph: CephStore;
let bucket: TestBucket;
let home: TemporaryFolder;
let folder: ExchangeFolder;
let server: ExchangeProcess;

beforeAll(async () => {
  ceph = await CephStore.start();
});
afterAll(() => ceph[Symbol.asyncDispose]());

beforeEach(async () => {
  bucket = await bucketOf(ceph);
  home = await temporaryFolder('s3-exchange');
  folder = new ExchangeFolder(home.path);
  folder.addMailboxes(mailboxes, s3Environment(ceph, bucket.name));
  server = await ExchangeProcess.start({ env: { ...folder.env, ...s3Environment(ceph, bucket.name) } });
});
afterEach(async () => {
  await server.kill9();
  bucket.close();
  await home.remove();
});

/** More than one part of an upload, and a last block that is not whole. */
function chunkOf(): Buffer {
  return randomBytes(17 * 1_048_576 + 1234);
}

async function expectMessage(reader: MeshClient, id: string, chunks: readonly Buffer[]): Promise<void> {
  for (const [at, chunk] of chunks.entries()) {
    const reply = await reader.downloadChunk(id, at + 1);
    expect(reply.status).toBe(at + 1 === chunks.length ? 200 : 206);
    expect(Buffer.compare(reply.body, chunk)).toBe(0);
  }
}

describe('an exchange whose bodies are objects', () => {
  it('carries a message of three chunks, also over its own death', async () => {
    const chunks = [chunkOf(), chunkOf(), chunkOf()];
    const sender = folder.client(server.url, 'STOREA');
    const first = await sender.send({ to: 'STOREB', workflowId: 'W', chunkRange: '1:3' }, chunks[0] ?? '');
    const id = sentIdOf(first);
    expect((await sender.sendChunk(id, 3, 3, chunks[2] ?? '')).status).toBe(202);
    sender.close();
    await server.kill9();
    server = await server.restart();
    const again = folder.client(server.url, 'STOREA');
    expect((await again.sendChunk(id, 2, 3, chunks[1] ?? '')).status).toBe(202);
    again.close();
    const reader = folder.client(server.url, 'STOREB');
    expect(listedIdsOf(await reader.list())).toEqual([id]);
    await expectMessage(reader, id, chunks);
    reader.close();
    expect(await bucket.keys()).toHaveLength(3);
    expect(await bucket.openUploads()).toBe(0);
  });

  it('answers 503 while gateway and storage are dead, goes on with what needs no object, and recovers by itself', async () => {
    const chunks = [chunkOf(), chunkOf()];
    const sender = folder.client(server.url, 'STOREA');
    const reader = folder.client(server.url, 'STOREB');
    const first = await sender.send({ to: 'STOREB', workflowId: 'W', chunkRange: '1:2' }, chunks[0] ?? '');
    const id = sentIdOf(first);
    await ceph.kill();
    const refused = await sender.sendChunk(id, 2, 2, chunks[1] ?? '');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    const small = sentIdOf(await sender.send({ to: 'STOREB', workflowId: 'W' }, 'small enough for the ledger'));
    expect((await reader.download(small)).body.toString()).toBe('small enough for the ledger');
    expect((await reader.acknowledge(small)).status).toBe(200);
    await ceph.resume();
    expect((await sender.sendChunk(id, 2, 2, chunks[1] ?? '')).status).toBe(202);
    expect(listedIdsOf(await reader.list())).toEqual([id]);
    await expectMessage(reader, id, chunks);
    sender.close();
    reader.close();
  });

  it(`loses nothing it acknowledged when gateway and storage are killed under load (OPENMESH_TEST_SEED=${seed})`, async () => {
    const random = seededRandom(seed);
    const sizes = [900, 40_000, 300_000, 5_000_000];
    const load = new ExchangeLoad({
      random,
      mailboxes,
      chunkBytes: sizes,
      chunksMax: 3,
      sendersPerMailbox: 2,
      readersPerMailbox: 1,
      patienceMs,
    });
    load.connect((mailbox) => folder.client(server.url, mailbox));
    const stop = new AbortController();
    const working = load.run(stop.signal);
    await setTimeout(2000);
    await ceph.killGateway();
    await setTimeout(500);
    await ceph.resume();
    await setTimeout(2000);
    await ceph.kill();
    await ceph.resume();
    await setTimeout(2000);
    stop.abort();
    await working;
    const statuses = load.statuses();
    await load.resume();
    await load.observe();
    await load.drain();
    load.disconnect();
    expect(violationsOf(load.history.events)).toEqual([]);
    // A death of the store is no answer of ours but 503, and without some the test would show nothing.
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([503]);
    expect(statuses.get(202)).toBeGreaterThan(20);
  });
});
