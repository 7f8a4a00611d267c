import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CommandOutcome, runCommand } from '../kit/command-process.ts';
import { CephStore } from '../kit/engines/ceph.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { s3Environment } from '../kit/engines/s3-environment.ts';
import { bucketOf, type TestBucket } from '../kit/engines/test-bucket.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { violationsOf } from '../kit/history.ts';
import { listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { seededRandom, seedOfRun } from '../kit/seeded-random.ts';
import { writeSettingsFile } from '../kit/settings-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const seed = seedOfRun();
const unsafeServer = { OPENMESH_LEDGER_UNSAFE_SERVER: 'warn' };
const mailboxes = ['SENDER', 'READER'];
let ceph: CephStore;
let postgres: PostgresServer;
let bucket: TestBucket;
let home: TemporaryFolder;
let folder: ExchangeFolder;
let server: ExchangeProcess | undefined;

beforeAll(async () => {
  [ceph, postgres] = await Promise.all([CephStore.start(), PostgresServer.start()]);
});
afterAll(async () => {
  await ceph[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});
beforeEach(async () => {
  bucket = await bucketOf(ceph);
  home = await temporaryFolder('engines-backup');
  folder = new ExchangeFolder(home.path);
  await succeed(['backup', 'keygen', join(home.path, 'backup')], {});
});
afterEach(async () => {
  await server?.kill9();
  server = undefined;
  bucket.close();
  await home.remove();
});

async function succeed(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandOutcome> {
  const ran = await runCommand(args, env);
  expect(ran, ran.err).toMatchObject({ status: 0 });
  return ran;
}

/** An exchange on PostgreSQL and S3. */
async function shared(prefix: string): Promise<Record<string, string>> {
  const ledger = await postgres.createDatabase();
  return { ...folder.env, ...s3Environment(ceph, bucket.name, prefix), OPENMESH_LEDGER: ledger, ...unsafeServer };
}

/** The settings of an exchange that was made of one backup. */
async function restoredAt(place: string, { snapshot }: { readonly snapshot: string }): Promise<Record<string, string>> {
  const env = await shared(`restored-${snapshot.toLowerCase()}`);
  await succeed(['restore', place, '--identity', join(home.path, 'backup.key'), '--snapshot', snapshot], env);
  return env;
}

/** Whatever can be listed can be downloaded: no row was copied whose bytes were not. */
async function expectWhole(env: Readonly<Record<string, string>>): Promise<void> {
  const exchange = await ExchangeProcess.start({ env });
  const statuses: number[] = [];
  for (const mailbox of [...mailboxes, 'KEEPER']) {
    const reader = folder.client(exchange.url, mailbox);
    for (const id of listedIdsOf(await reader.list())) statuses.push((await reader.download(id)).status);
    reader.close();
  }
  await exchange.kill9();
  expect(statuses.length).toBeGreaterThan(1);
  expect(statuses.filter((status) => status !== 200 && status !== 206)).toEqual([]);
}

function newLoad(): ExchangeLoad {
  return new ExchangeLoad({
    random: seededRandom(seed),
    mailboxes,
    chunkBytes: [900, 40_000, 300_000],
    chunksMax: 3,
    sendersPerMailbox: 2,
    readersPerMailbox: 1,
  });
}

async function work(load: ExchangeLoad, url: string, ms: number): Promise<void> {
  load.connect((mailbox) => folder.client(url, mailbox));
  const stop = new AbortController();
  const working = load.run(stop.signal);
  await setTimeout(ms);
  stop.abort();
  await working;
}

describe('a backup of PostgreSQL and S3', () => {
  it('made to another bucket while messages come and go restores every message that was there before it', async () => {
    const env = await shared('live');
    folder.addMailboxes([...mailboxes, 'KEEPER'], env);
    server = await ExchangeProcess.start({ env });
    const sender = folder.client(server.url, 'SENDER');
    const body = randomBytes(9_000_000);
    const before = sentIdOf(await sender.send({ to: 'KEEPER', workflowId: 'W' }, body));
    const small = sentIdOf(await sender.send({ to: 'KEEPER', workflowId: 'W' }, 'small'));
    sender.close();
    const load = newLoad();
    const place = `s3://${bucket.name}/backups`;
    const create = ['backup', 'create', place, '--recipient', join(home.path, 'backup.pub')];
    const loading = work(load, server.url, 4000);
    const underLoad = await succeed([...create, '--json'], env);
    await loading;
    load.disconnect();
    const again = await succeed([...create, '--json'], env);
    const { bodies, bodiesCopied } = JSON.parse(again.out) as { bodies: number; bodiesCopied: number };
    expect(bodies).toBeGreaterThan(bodiesCopied);
    await server.kill9();
    await succeed(['verify', place, '--identity', join(home.path, 'backup.key')], s3Environment(ceph, bucket.name));
    await expectWhole(await restoredAt(place, JSON.parse(underLoad.out) as { snapshot: string }));
    // What is restored from here on is what a prune left.
    const prune = ['backup', 'prune', place, '--identity', join(home.path, 'backup.key'), '--keep-last', '1', '--json'];
    const pruned = JSON.parse((await succeed(prune, s3Environment(ceph, bucket.name))).out) as object;
    expect(pruned).toMatchObject({
      whole: true,
      removed: [(JSON.parse(underLoad.out) as { snapshot: string }).snapshot],
    });
    const verify = ['verify', place, '--identity', join(home.path, 'backup.key')];
    await succeed(verify, s3Environment(ceph, bucket.name));
    const restored = await shared('restored');
    await succeed(['restore', place, '--identity', join(home.path, 'backup.key')], restored);
    server = await ExchangeProcess.start({ env: restored });
    const reader = folder.client(server.url, 'KEEPER');
    const listed = listedIdsOf(await reader.list());
    const got = [(await reader.download(before)).body, (await reader.download(small)).body];
    reader.close();
    expect(listed).toEqual([before, small]);
    expect(got.map((bytes, n) => bytes.equals(n === 0 ? body : Buffer.from('small')))).toEqual([true, true]);
    // All of the load's history holds too: the second backup was made after its end.
    load.connect((mailbox) => folder.client(server?.url ?? '', mailbox));
    await load.observe();
    load.disconnect();
    expect(violationsOf(load.history.events)).toEqual([]);
  });
});

describe('moving an exchange from SQLite and disk to PostgreSQL and S3', () => {
  it('loses no message, keeps every state, and leaves the old ledger where nobody serves it by mistake', async () => {
    folder.addMailboxes(mailboxes);
    server = await ExchangeProcess.start({ env: folder.env });
    const load = newLoad();
    await work(load, server.url, 2000);
    const target = await shared('moved');
    const file = join(home.path, 'new.env');
    writeSettingsFile(file, target);
    const env = {
      ...folder.env,
      ...s3Environment(ceph, bucket.name),
      OPENMESH_BODIES: folder.env['OPENMESH_BODIES'] ?? '',
    };
    await succeed(['migrate-store', file, '--bodies-only'], env);
    const refused = await runCommand(['migrate-store', file], env);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.err).toContain('the ledger is in use');
    await work(load, server.url, 1000);
    await load.resume();
    await server.stop();
    const moved = await succeed(['migrate-store', file, '--json'], env);
    expect(JSON.parse(moved.out)).toMatchObject({ absentCount: 0, retired: join(folder.data, 'ledger.sqlite.moved') });
    const moveTo = new URL(target['OPENMESH_LEDGER'] ?? '').pathname.slice(1);
    expect(await postgres.run('select count(*) from message_other', moveTo)).toEqual(['0']);
    server = await ExchangeProcess.start({ env: target });
    load.connect((mailbox) => folder.client(server?.url ?? '', mailbox));
    await load.observe();
    await work(load, server.url, 1000);
    await load.resume();
    await load.observe();
    await load.drain();
    load.disconnect();
    expect(violationsOf(load.history.events)).toEqual([]);
    await succeed(['audit', 'verify'], target);
    expect(await runCommand(['migrate-store', file], env)).toMatchObject({ status: 1 });
  });
});
