import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeysCommand } from '../../kit/keys-command.ts';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const large = Buffer.alloc(5_000_000, 'large ');
const small = Buffer.from('small');
let exchange: ExchangeInProcess;
let command: KeysCommand;
let keyFile: string;

beforeEach(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  command = new KeysCommand(exchange);
  keyFile = command.keyFile;
});
afterEach(() => exchange.stop());

const keys = (...args: readonly string[]) => command.run(...args);
const answer = (...args: readonly string[]) => command.answer(...args);
const listed = () => command.listed();

async function send(body: Buffer, localId?: string): Promise<string> {
  const to = { to: 'X26ABC2', workflowId: 'WF', ...(localId === undefined ? {} : { localId }) };
  const headers = { 'Mex-Subject': 'a subject' };
  return sentIdOf(await exchange.client('X26ABC1').send(to, body, { headers }));
}

async function read(id: string, body: Buffer): Promise<void> {
  const reply = await exchange.client('X26ABC2').download(id, { headers: { 'Accept-Encoding': null } });
  expect([reply.status, reply.headers['mex-subject'], reply.body.equals(body)]).toEqual([200, 'a subject', true]);
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
    command.dateFile(-1);
    expect(await answer('drop', old?.keyId ?? '')).toMatchObject({ status: 0 });
    expect(readFileSync(keyFile, 'utf8').split('\n').filter(Boolean)).toHaveLength(1);
    for (let turn = 0; turn < 2; turn += 1) {
      for (const [n, id] of [...before, after].entries()) await read(id, n === 1 ? large : small);
      const tracked = await exchange.client('X26ABC1').request('GET', '/outbox/tracking/local-1');
      expect(tracked.body.toString()).toContain(before[0]);
      await exchange.restart();
    }
  });

  it('loses no message whose body began to come while a key was in use that is gone when it ends', async () => {
    const [old] = await listed();
    const dropped = Promise.withResolvers<void>();
    async function* slowly(): AsyncGenerator<Uint8Array, void, void> {
      yield large.subarray(0, 2_000_000);
      await dropped.promise;
      yield large.subarray(2_000_000);
    }
    const headers = { 'Content-Length': String(large.length), 'Mex-Subject': 'a subject' };
    const sender = exchange.client('X26ABC1', { timeoutMs: 100_000 });
    const sent = sender.send({ to: 'X26ABC2', workflowId: 'WF' }, slowly(), { headers });
    const bodyFiles = () =>
      readdirSync(exchange.bodiesFolder, { recursive: true }).filter((name) => /-/.test(String(name)));
    await expect.poll(bodyFiles).toHaveLength(1);
    await answer('rotate');
    letTimePass();
    exchange.rooms.keys.readAgain();
    expect(await answer('rewrap')).toMatchObject({ unused: [old?.keyId] });
    command.dateFile(-1);
    expect(await answer('drop', old?.keyId ?? '')).toMatchObject({ status: 0 });
    dropped.resolve();
    const id = sentIdOf(await sent);
    await exchange.restart();
    await read(id, large);
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
