import { readFileSync } from 'node:fs';
import { createSharedKeyCommand } from '@openmesh/exchange/cli/token-key.ts';
import { openForAdmin } from '@openmesh/exchange/compose/open-for-admin.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeInProcess, kitSharedKey } from '../../kit/running-exchange.ts';

let exchange: ExchangeInProcess;
/** Of the exchange and of the commands; changed between two starts. */
let settings: Record<string, string>;

beforeEach(async () => {
  settings = {};
  exchange = await ExchangeInProcess.start({ tls: 'off', settings });
});
afterEach(() => exchange.stop());

async function sharedKey(args: readonly string[], input = '') {
  const [out, err]: [string[], string[]] = [[], []];
  const env = {
    OPENMESH_TLS: 'off',
    OPENMESH_MACHINES_HOST: '127.0.0.1',
    OPENMESH_SECRET_KEY_FILE: exchange.rooms.config.secretKey.file,
    OPENMESH_LEDGER: `sqlite:${exchange.ledgerFile}`,
    OPENMESH_BODIES: `file:${exchange.bodiesFolder}`,
    ...(settings['OPENMESH_SHARED_KEY_PLACE'] === 'ledger' ? {} : { OPENMESH_SHARED_KEY: kitSharedKey }),
    ...settings,
  };
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(input);
  }
  const world = { now: exchange.clock.nowMs, actor: () => 'tester', stdin: stdin() };
  const io = { stdout: (text: string) => void out.push(text), stderr: (text: string) => void err.push(text), env };
  const status = await createSharedKeyCommand(openForAdmin, world).run(args, io);
  await exchange.rooms.registry.poll();
  return { status, out: out.join(''), err: err.join('') };
}

async function add(): Promise<{ sharedKeyId: string; key: string }> {
  const { status, out } = await sharedKey(['add', '--json']);
  expect(status).toBe(0);
  return JSON.parse(out) as { sharedKeyId: string; key: string };
}

async function statusWith(key: string): Promise<number> {
  return (await exchange.client('X26ABC1', { sharedKey: key }).list()).status;
}

describe('a shared key that is changed', () => {
  it('is taken beside the one of the settings at once, and refused when it is ended', async () => {
    const { sharedKeyId, key } = await add();
    expect([await statusWith(kitSharedKey), await statusWith(key), await statusWith('another')]).toEqual([
      200, 200, 403,
    ]);
    expect(await sharedKey(['end', sharedKeyId, '--after', '2'])).toMatchObject({ status: 0 });
    expect(await statusWith(key)).toBe(200);
    exchange.clock.advance(2 * 3_600_000);
    expect([await statusWith(kitSharedKey), await statusWith(key)]).toEqual([200, 403]);
  });

  it('moves from the settings to the ledger and on from one to the next, never without a valid one', async () => {
    const first = await add();
    settings['OPENMESH_SHARED_KEY_PLACE'] = 'ledger';
    await exchange.restart();
    expect([await statusWith(kitSharedKey), await statusWith(first.key)]).toEqual([403, 200]);
    expect(await sharedKey(['end', first.sharedKeyId])).toMatchObject({
      status: 1,
      err: expect.stringContaining('add'),
    });
    const second = await add();
    expect([await statusWith(first.key), await statusWith(second.key)]).toEqual([200, 200]);
    expect(await sharedKey(['end', first.sharedKeyId])).toMatchObject({ status: 0 });
    expect([await statusWith(first.key), await statusWith(second.key)]).toEqual([403, 200]);
    await exchange.restart();
    expect([await statusWith(first.key), await statusWith(second.key)]).toEqual([403, 200]);
  });

  it('has at most two at a time, none of them twice, and none that nobody could use', async () => {
    expect(await sharedKey(['add', '--stdin'], `${kitSharedKey}\n`)).toMatchObject({ status: 65 });
    const { key, sharedKeyId } = await add();
    expect(await sharedKey(['add', '--stdin'], key)).toMatchObject({ status: 65 });
    expect(await sharedKey(['add'])).toMatchObject({ status: 1, err: expect.stringContaining('shared-key end') });
    expect(await sharedKey(['end', 'sk-nothing'])).toMatchObject({ status: 1 });
    expect(await sharedKey(['end', sharedKeyId, '--after', 'soon'])).toMatchObject({ status: 65 });
    expect(await sharedKey(['end', sharedKeyId])).toMatchObject({ status: 0 });
    expect(await sharedKey(['add', '--stdin'], 'given by somebody\n')).toMatchObject({ status: 0 });
    expect(await statusWith('given by somebody')).toBe(200);
  });

  it('is shown once, is sealed in the ledger, and is in no list and no audit', async () => {
    const { key, sharedKeyId } = await add();
    const list = await sharedKey(['list']);
    expect(list.out).toContain(sharedKeyId);
    expect(list.out).toContain('1 in the settings');
    const audit = await exchange.rooms.ledger.audit.read({ fromEntryNo: 0, limit: 100 });
    expect(audit.some(({ action, subject }) => action === 'shared-key.add' && subject === sharedKeyId)).toBe(true);
    for (const text of [list.out, (await sharedKey(['list', '--json'])).out, JSON.stringify(audit)])
      expect(text).not.toContain(key);
    for (const suffix of ['', '-wal'])
      expect(readFileSync(`${exchange.ledgerFile}${suffix}`).includes(key)).toBe(false);
  });

  it('is missed at the start: an exchange to which nobody could speak does not start, and says what to do', async () => {
    settings['OPENMESH_SHARED_KEY_PLACE'] = 'ledger';
    await expect(exchange.restart()).rejects.toThrow('shared-key add');
  });
});
