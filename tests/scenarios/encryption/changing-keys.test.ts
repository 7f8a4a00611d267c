import { chmodSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createExportCommand } from '@openmesh/exchange/cli/export.ts';
import { createKeysCommand } from '@openmesh/exchange/cli/keys.ts';
import { openForAdmin } from '@openmesh/exchange/compose/open-for-admin.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const large = Buffer.alloc(5_000_000, 'large ');
const small = Buffer.from('small');
let exchange: ExchangeInProcess;
let keyFile: string;

beforeEach(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  keyFile = exchange.rooms.config.secretKey.file;
});
afterEach(() => exchange.stop());

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** The settings of another process beside the running exchange. */
function env(): Record<string, string> {
  return {
    OPENMESH_TLS: 'off',
    OPENMESH_MACHINES_HOST: '127.0.0.1',
    OPENMESH_SHARED_KEY: 'k',
    OPENMESH_SECRET_KEY_FILE: keyFile,
    OPENMESH_LEDGER: `sqlite:${exchange.ledgerFile}`,
    OPENMESH_BODIES: `file:${exchange.bodiesFolder}`,
  };
}

/** Runs `keys …` as another process beside the running exchange would. */
async function keys(...args: readonly string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
    env: env(),
  };
  return { status: await createKeysCommand(openForAdmin).run(args, io), out: out.join(''), err: err.join('') };
}

async function answer(...args: readonly string[]): Promise<Record<string, unknown>> {
  const ran = await keys(...args, '--json');
  return { status: ran.status, ...(JSON.parse(ran.out) as object) };
}

interface KeyLine {
  readonly keyId: string;
  readonly line: number | null;
  readonly payloads: number;
  readonly texts: number;
  readonly secrets: number;
}

async function listed(): Promise<readonly KeyLine[]> {
  return (await answer('list'))['keys'] as readonly KeyLine[];
}

async function send(body: Buffer, localId?: string): Promise<string> {
  const to = { to: 'X26ABC2', workflowId: 'WF', ...(localId === undefined ? {} : { localId }) };
  const headers = { 'Mex-Subject': 'a subject' };
  return sentIdOf(await exchange.client('X26ABC1').send(to, body, { headers }));
}

async function read(id: string, body: Buffer): Promise<void> {
  const reply = await exchange.client('X26ABC2').download(id, { headers: { 'Accept-Encoding': null } });
  expect([reply.status, reply.headers['mex-subject'], reply.body.equals(body)]).toEqual([200, 'a subject', true]);
}

/** As if the key file had been as it is for so long that nothing is on its way under another key in use. */
function letKeysSettle(): void {
  const fiveMinutesAgo = Date.now() / 1000 - 301;
  utimesSync(keyFile, fiveMinutesAgo, fiveMinutesAgo);
}

/** As many seconds as a running exchange needs to look at its key file again. */
function letTimePass(): void {
  exchange.clock.advance(60_000);
}

describe('changing the secret key while the exchange runs', () => {
  it('puts what is new under the new key, and after rewrapping nothing needs the old one', async () => {
    const before = [await send(small, 'local-1'), await send(large)];
    const bodyFiles = (): string[] =>
      readdirSync(exchange.bodiesFolder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => `${file} ${statSync(file).mtimeMs} ${statSync(file).size}`);
    const [untouched, oldLines] = [bodyFiles().slice(0, 1), readFileSync(keyFile, 'utf8')];
    const [old] = await listed();
    const { keyId, status } = await answer('rotate');
    expect(status).toBe(0);
    expect(readFileSync(keyFile, 'utf8').endsWith(oldLines)).toBe(true);
    letTimePass();
    exchange.rooms.keys.readAgain();
    const after = await send(small);
    expect(await listed()).toEqual([
      expect.objectContaining({ keyId, line: 1, payloads: 1, texts: 1, secrets: 0 }),
      expect.objectContaining({ keyId: old?.keyId, line: 2, payloads: 2, texts: 2 }),
    ]);
    const done = await answer('rewrap');
    expect(done).toMatchObject({ status: 0, texts: 2, payloads: 2, unopened: 0, unused: [old?.keyId], stillUsed: [] });
    expect(await answer('rewrap')).toMatchObject({ secrets: 0, texts: 0, payloads: 0 });
    expect(bodyFiles()).toEqual(untouched);
    expect(untouched).toHaveLength(1);
    letKeysSettle();
    expect(await answer('drop', old?.keyId ?? '')).toMatchObject({ status: 0 });
    expect(readFileSync(keyFile, 'utf8').split('\n').filter(Boolean)).toHaveLength(1);
    for (let turn = 0; turn < 2; turn += 1) {
      for (const [n, id] of [...before, after].entries()) await read(id, n === 1 ? large : small);
      const tracked = await exchange.client('X26ABC1').request('GET', '/outbox/tracking/local-1');
      expect(tracked.body.toString()).toContain(before[0]);
      await exchange.restart();
    }
  });

  it('is learned of by a running exchange from what it meets, without being told', async () => {
    const id = await send(small);
    await answer('rotate');
    letTimePass();
    expect(await answer('rewrap')).toMatchObject({ status: 0, payloads: 1 });
    await read(id, small);
    await exchange.rooms.registry.poll();
    await read(await send(large), large);
  });

  it('is learned of at once, however short ago the file was read', async () => {
    const id = await send(small);
    letTimePass();
    exchange.rooms.keys.readAgain();
    await answer('rotate');
    expect(await answer('rewrap')).toMatchObject({ status: 0, payloads: 1 });
    await exchange.rooms.registry.poll();
    await read(id, small);
    await read(await send(large), large);
  });

  it('leaves nothing under a key that was dropped, also of messages on their way at that time', async () => {
    const [old] = await listed();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    async function* held(bytes: Buffer): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, -1);
      begun.resolve();
      await gate.promise;
      yield bytes.subarray(-1);
    }
    const sending = exchange
      .client('X26ABC1')
      .send({ to: 'X26ABC2', workflowId: 'WF' }, held(large), { headers: { 'Mex-Subject': 'a subject' } });
    await begun.promise;
    await answer('rotate');
    expect(await answer('rewrap')).toMatchObject({ status: 0 });
    const tooSoon = await keys('drop', old?.keyId ?? '');
    expect(tooSoon).toMatchObject({ status: 1, err: expect.stringContaining('run this again in 5 minutes') });
    letKeysSettle();
    expect(await answer('drop', old?.keyId ?? '')).toMatchObject({ status: 0 });
    exchange.rooms.keys.readAgain();
    gate.resolve();
    const id = sentIdOf(await sending);
    await exchange.restart();
    await read(id, large);
  });

  it('is learned of also when the machine’s clock was set back meanwhile', async () => {
    const { keyId } = await answer('rotate');
    exchange.clock.set(-3_600_000);
    letTimePass();
    exchange.rooms.keys.readAgain();
    await send(small);
    expect(await listed()).toContainEqual(expect.objectContaining({ keyId, line: 1, payloads: 1 }));
  });

  it('waits for the other nodes when it is prepared: the new key only opens until it is promoted', async () => {
    const [old] = await listed();
    const { keyId, inUse } = await answer('rotate', '--prepare');
    expect(inUse).toBe(false);
    letTimePass();
    exchange.rooms.keys.readAgain();
    await send(small);
    expect(await listed()).toMatchObject([
      { keyId: old?.keyId, payloads: 1 },
      { keyId, payloads: 0 },
    ]);
    await answer('rotate', '--promote', String(keyId));
    letTimePass();
    exchange.rooms.keys.readAgain();
    await send(small);
    expect(await listed()).toMatchObject([
      { keyId, payloads: 1 },
      { keyId: old?.keyId, payloads: 1 },
    ]);
  });

  it('loses nothing when the file cannot be read: what is at hand goes on, and the file is read when it is back', async () => {
    const id = await send(small);
    const lines = readFileSync(keyFile);
    writeFileSync(keyFile, 'no key\n');
    letTimePass();
    expect(() => exchange.rooms.keys.readAgain()).toThrow('OPENMESH_SECRET_KEY_FILE');
    await read(id, small);
    await read(await send(large), large);
    writeFileSync(keyFile, lines);
    letTimePass();
    expect(exchange.rooms.keys.readAgain()).toBe(false);
  });
});

describe('what rewrapping cannot open', () => {
  it('stays as it is and is counted, and is done when its key is back', async () => {
    const [first, second] = [await send(small), await send(large)];
    const lost = readFileSync(keyFile, 'utf8');
    writeFileSync(keyFile, `${'77'.repeat(32)}\n`);
    const ran = await answer('rewrap');
    expect(ran).toMatchObject({ status: 1, texts: 0, payloads: 0, secrets: 0 });
    expect(ran['unopened']).toBeGreaterThanOrEqual(4);
    const list = await keys('list');
    expect(list.status).toBe(1);
    expect(list.out).toContain('NOT IN THE FILE');
    writeFileSync(keyFile, `${'77'.repeat(32)}\n${lost}`);
    expect(await answer('rewrap')).toMatchObject({ status: 0, texts: 2, payloads: 2, unopened: 0 });
    letTimePass();
    await read(first, small);
    await read(second, large);
  });
});

describe('the key file', () => {
  it('keeps its mode, is whole at every moment, and shows no key on the way', async () => {
    chmodSync(keyFile, 0o400);
    const before = readFileSync(keyFile, 'utf8').trim();
    const ran = await keys('rotate');
    expect(ran.status).toBe(0);
    expect(statSync(keyFile).mode & 0o777).toBe(0o400);
    const lines = readFileSync(keyFile, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(ran.out + ran.err + (await keys('list')).out).not.toContain(line);
    expect(lines[1]).toBe(before);
  });

  it('may lose several keys one after the other', async () => {
    const [old] = await listed();
    const { keyId } = await answer('rotate', '--prepare');
    await answer('rotate', '--prepare');
    await answer('rotate', '--promote', String(keyId));
    const others = (await listed()).filter((key) => key.keyId !== keyId);
    expect(await answer('rewrap')).toMatchObject({ status: 0 });
    letKeysSettle();
    for (const each of others) expect(await answer('drop', each.keyId)).toMatchObject({ status: 0 });
    expect(others.map((each) => each.keyId)).toContain(old?.keyId);
    expect(await listed()).toMatchObject([{ keyId, line: 1 }]);
  });

  it('gives up no key that is in use, needed or unknown, and takes no more than it may hold', async () => {
    await send(small);
    const [old] = await listed();
    expect(await keys('drop', old?.keyId ?? '')).toMatchObject({ status: 1 });
    expect(await keys('drop', 'nope')).toMatchObject({ status: 1, err: expect.stringContaining('keys list') });
    expect(await keys('rotate', '--promote', 'nope')).toMatchObject({ status: 1 });
    expect(await keys('rotate', '--promote', 'x', '--prepare')).toMatchObject({ status: 65 });
    const whole = readFileSync(keyFile, 'utf8');
    expect(whole.trim().split('\n')).toHaveLength(1);
    for (let n = 1; n < 8; n += 1) expect((await keys('rotate')).status).toBe(0);
    expect(await keys('rotate')).toMatchObject({ status: 1, err: expect.stringContaining('keys drop') });
    const needed = await keys('drop', old?.keyId ?? '');
    expect(needed).toMatchObject({ status: 1, err: expect.stringContaining('keys rewrap') });
    expect(readFileSync(keyFile, 'utf8').endsWith(whole)).toBe(true);
  });

  it('is in no export', async () => {
    const out: string[] = [];
    const io = {
      stdout: (text: string) => void out.push(text),
      stderr: () => undefined,
      env: env(),
    };
    expect(await createExportCommand(openForAdmin).run([], io)).toBe(0);
    expect(out.join('')).toContain('X26ABC1');
    expect(out.join('')).not.toContain(readFileSync(keyFile, 'utf8').trim());
  });
});
