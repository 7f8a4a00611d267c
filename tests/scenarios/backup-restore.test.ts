import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandOutcome, runCommand } from '../kit/command-process.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const small = Buffer.from('small enough for the row');
const large = Buffer.alloc(300_000, 'large enough for a file ');
const secretWords = 'large enough for a file';

let home: TemporaryFolder;
let folder: ExchangeFolder;
let server: ExchangeProcess | undefined;

beforeEach(async () => {
  home = await temporaryFolder('backup-restore');
  folder = new ExchangeFolder(home.path);
  mkdirSync(folder.data);
  folder.addMailboxes(['SENDER', 'READER']);
  server = await ExchangeProcess.start({ env: folder.env });
  await command(['backup', 'keygen', join(home.path, 'backup')]);
});
afterEach(async () => {
  await server?.kill9();
  server = undefined;
  await home.remove();
});

const publicKey = (): string => join(home.path, 'backup.pub');
const privateKey = (): string => join(home.path, 'backup.key');
const place = (): string => `file:${join(home.path, 'backups')}`;

function command(args: readonly string[], env = folder.env): Promise<CommandOutcome> {
  return runCommand([...args], env);
}

async function backUp(): Promise<CommandOutcome & { readonly json: Record<string, number | string> }> {
  const ran = await command(['backup', 'create', place(), '--recipient', publicKey(), '--json']);
  return { ...ran, json: JSON.parse(ran.out) as Record<string, number | string> };
}

async function send(body: Buffer): Promise<string> {
  const sender = folder.client(server?.url ?? '', 'SENDER');
  const id = sentIdOf(await sender.send({ to: 'READER', workflowId: 'W' }, body));
  sender.close();
  return id;
}

function filesOf(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The restore drill: everything is gone but the backup, the private key and the secret key. */
async function drill(sent: readonly string[], bodies: readonly Buffer[], options: readonly string[] = []) {
  const restored = new ExchangeFolder(home.path, join(home.path, 'restored'));
  mkdirSync(restored.data);
  const ran = await command(['restore', place(), '--identity', privateKey(), ...options], restored.env);
  expect(ran).toMatchObject({ status: 0 });
  const second = await ExchangeProcess.start({ env: restored.env });
  const reader = restored.client(second.url, 'READER');
  const listed = listedIdsOf(await reader.list());
  const got: Buffer[] = [];
  for (const id of sent) got.push((await reader.download(id)).body);
  const acknowledged = await reader.acknowledge(sent[0] ?? '');
  reader.close();
  await second.stop();
  expect(listed).toEqual(sent);
  expect(got.map((bytes, n) => bytes.equals(bodies[n] ?? small))).toEqual(sent.map(() => true));
  expect(acknowledged.status).toBe(200);
}

describe('a backup of a running exchange', () => {
  it('holds all that was accepted before it, and is restored without anything of the exchange but its secret key', async () => {
    const sent = [await send(small), await send(large)];
    expect(await backUp()).toMatchObject({ status: 0, json: { bodies: 1, bodiesCopied: 1, absentCount: 0 } });
    await send(Buffer.from('after the backup'));
    await server?.kill9();
    rmSync(folder.data, { recursive: true });
    expect(await command(['verify', place(), '--identity', privateKey()], {})).toMatchObject({ status: 0 });
    await drill(sent, [small, large]);
  });

  it('made while messages come is of one moment: all accepted before it, and no message without its bytes', async () => {
    const sent: string[] = [];
    const stop = new AbortController();
    const sending = (async () => {
      while (!stop.signal.aborted) sent.push(await send(sent.length % 2 === 0 ? large : small));
    })();
    while (sent.length < 20) await setImmediate();
    const acceptedBefore = sent.length;
    const ran = await backUp();
    stop.abort();
    await sending;
    expect(ran).toMatchObject({ status: 0, json: { absentCount: 0 } });
    expect(sent.length).toBeGreaterThan(acceptedBefore);
    await server?.kill9();
    const restored = new ExchangeFolder(home.path, join(home.path, 'restored'));
    mkdirSync(restored.data);
    await command(['restore', place(), '--identity', privateKey()], restored.env);
    const second = await ExchangeProcess.start({ env: restored.env });
    const reader = restored.client(second.url, 'READER');
    const listed = listedIdsOf(await reader.list({ maxResults: 500 }));
    const whole: boolean[] = [];
    for (const id of listed)
      whole.push((await reader.download(id)).body.equals(sent.indexOf(id) % 2 === 0 ? large : small));
    reader.close();
    await second.stop();
    expect(listed).toEqual(sent.slice(0, listed.length));
    expect(listed.length).toBeGreaterThanOrEqual(acceptedBefore);
    expect(whole).not.toContain(false);
  });

  it('of an older moment is removed when a rule no longer keeps it, and the kept one is restored', async () => {
    const sent = [await send(large)];
    const before = await backUp();
    sent.push(await send(small));
    const kept = await backUp();
    const prune = ['backup', 'prune', place(), '--identity', privateKey(), '--keep-last', '1'];
    const looked = await command([...prune, '--dry-run'], {});
    expect(looked).toMatchObject({ status: 0, out: expect.stringContaining('would remove 1 backups') as unknown });
    const ran = await command([...prune, '--json'], {});
    expect(JSON.parse(ran.out)).toMatchObject({
      kept: [kept.json['snapshot']],
      removed: [before.json['snapshot']],
      whole: true,
      dryRun: false,
    });
    const list = await command(['backup', 'list', place(), '--json'], {});
    expect((JSON.parse(list.out) as { snapshot: string }[]).map(({ snapshot }) => snapshot)).toEqual([
      kept.json['snapshot'],
    ]);
    expect(await command(prune.slice(0, 5), {})).toMatchObject({ status: 64 });
    expect(await command([...prune.slice(0, 5), '--keep-days', '0'], {})).toMatchObject({ status: 65 });
    await server?.kill9();
    await drill(sent, [large, small]);
  });

  it('copies again only what changed, and each is a moment that can be restored', async () => {
    const first = await send(large);
    const before = await backUp();
    expect((await backUp()).json).toMatchObject({ bodies: 1, bodiesCopied: 0, segmentsCopied: 0 });
    const second = await send(Buffer.alloc(200_000, 'another '));
    const after = await backUp();
    expect(after.json).toMatchObject({ bodies: 2, bodiesCopied: 1 });
    await server?.kill9();
    await drill([first], [large], ['--snapshot', String(before.json['snapshot'])]);
    rmSync(join(home.path, 'restored'), { recursive: true });
    await drill([first, second], [large, Buffer.alloc(200_000, 'another ')]);
  });

  it('shows nothing of ledger and bodies to whoever has no private key', async () => {
    await send(large);
    await backUp();
    const files = filesOf(join(home.path, 'backups'));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const bytes = readFileSync(file);
      for (const words of [secretWords, 'SQLite format', 'READER', 'payload'])
        expect(bytes.includes(words)).toBe(false);
    }
    await command(['backup', 'keygen', join(home.path, 'stranger')]);
    const stranger = await command(['verify', place(), '--identity', join(home.path, 'stranger.key')]);
    expect(stranger).toMatchObject({ status: 1 });
    expect(stranger.err).toContain('the backup cannot be read');
  });

  it('leaves no copy of the ledger beside it, and takes away what one that was killed left long ago', async () => {
    const leftover = join(folder.data, 'ledger.sqlite.snapshot-000000000000');
    writeFileSync(leftover, 'of a process that died');
    utimesSync(leftover, 0, 0);
    await backUp();
    expect(readdirSync(folder.data).filter((name) => name.includes('snapshot'))).toEqual([]);
  });
});

describe('what is wrong with a backup', () => {
  it('is found by verify, named, and never restored as if it were whole', async () => {
    await send(large);
    await backUp();
    await server?.kill9();
    const [body = ''] = filesOf(join(home.path, 'backups', 'bodies'));
    const bytes = readFileSync(body);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    writeFileSync(body, bytes);
    const damaged = await command(['verify', place(), '--identity', privateKey(), '--json']);
    expect(damaged.status).toBe(1);
    expect(JSON.parse(damaged.out)).toMatchObject({
      findingsCount: 1,
      findings: [{ problem: expect.any(String) as string }],
    });
    rmSync(body);
    const missing = await command(['verify', place(), '--identity', privateKey()]);
    expect(missing.status).toBe(1);
    expect(missing.out).toContain('is not there');
    const restored = new ExchangeFolder(home.path, join(home.path, 'restored'));
    mkdirSync(restored.data);
    expect(await command(['restore', place(), '--identity', privateKey()], restored.env)).toMatchObject({ status: 1 });
    expect(readdirSync(restored.data)).not.toContain('ledger.sqlite');
  });

  it('is told at once where a body is missing at its source, or damaged and the ledger keeps its digest', async () => {
    await server?.stop();
    server = await server?.restart({ OPENMESH_BODY_ENCRYPTION: 'off' });
    await send(large);
    await send(large);
    const [damaged = '', missing = ''] = filesOf(join(folder.data, 'bodies'));
    const bytes = readFileSync(damaged);
    bytes[5] = (bytes[5] ?? 0) ^ 1;
    writeFileSync(damaged, bytes);
    rmSync(missing);
    const ran = await backUp();
    expect(ran.status).toBe(1);
    expect(ran.json).toMatchObject({ bodies: 0, absentCount: 2 });
    const verified = await command(['verify', place(), '--identity', privateKey()]);
    expect(verified.status).toBe(1);
    expect(verified.out).toContain('was damaged when the backup was made');
    expect(verified.out).toContain('was missing when the backup was made');
  });

  it('is no reason to overwrite a ledger: a restore over one is refused', async () => {
    await send(small);
    await backUp();
    const ran = await command(['restore', place(), '--identity', privateKey()]);
    expect(ran.status).toBe(1);
    expect(ran.err).toContain('there is a ledger at');
  });

  it('is said in a sentence where there is none, or the key or the place is none', async () => {
    expect(await command(['verify', place(), '--identity', privateKey()])).toMatchObject({ status: 1 });
    expect(await command(['verify', place(), '--identity', publicKey()])).toMatchObject({ status: 65 });
    expect(await command(['backup', 'create', place(), '--recipient', privateKey()])).toMatchObject({ status: 65 });
    expect(await command(['backup', 'create', '/tmp/x', '--recipient', publicKey()])).toMatchObject({ status: 65 });
    const inside = `file:${join(folder.data, 'bodies', 'backups')}`;
    expect(await command(['backup', 'create', inside, '--recipient', publicKey()])).toMatchObject({ status: 1 });
    expect(await command(['backup', 'keygen', join(home.path, 'backup')])).toMatchObject({ status: 73 });
  });
});
