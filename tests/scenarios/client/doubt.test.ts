import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../kit/client-command.ts';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { clientRound, type Round } from '../../kit/client-scenario.ts';
import { type PlainService, startPlainService } from '../../kit/plain-service.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
let exchange: ExchangeInProcess;
let plain: PlainService;
let keyed: PlainService;
let paging: PlainService;
/** How many answers to sends are still to be lost. */
let toLose = 0;
let home: TemporaryFolder;
let folder: ClientFolder;

/** The next sends whose answers are to be lost lose them. */
function losesAnswer(method: string, url: string): boolean {
  if (method !== 'POST' || !url.endsWith('/outbox') || toLose === 0) return false;
  toLose -= 1;
  return true;
}

beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  plain = await startPlainService(exchange.port, { losesAnswer });
  paging = await startPlainService(exchange.port, { losesAnswer, answersWithPage: true });
  keyed = await startPlainService(exchange.port, { losesAnswer, passesExtensions: true });
});
afterAll(async () => {
  await plain.close();
  await keyed.close();
  await paging.close();
  await exchange.stop();
});
beforeEach(async () => {
  home = await temporaryFolder('client');
});
afterEach(() => home.remove());

/** A sending client behind the bad line, and a recipient of its own. */
const make = ({ port }: PlainService, more: Record<string, string> = {}): void => {
  const settings = { ServerRetry: '1', ControlGraceSeconds: '0', ...more };
  folder = new ClientFolder(home.path, { url: `http://127.0.0.1:${port}`, mailboxes: [a, b], settings });
};
const arrived = (): number => folder.list(b, 'IN').filter((name) => name.endsWith('.dat')).length;
const events = ({ lines }: Round): readonly string[] => lines.map(({ event }) => event);
const lineOf = ({ lines }: Round, event: string) => lines.find((line) => line.event === event);

describe('a pair whose answer was lost, at a service that takes no idempotency keys', () => {
  it('without a reference is sent again, at most once more, and the log names both sendings', async () => {
    make(plain);
    folder.drop(a, 'DOUBT', 'bytes', { To_DTS: b });
    toLose = 1;
    await clientRound(folder);
    expect(folder.list(a, 'OUT')).toEqual(['DOUBT.ctl', 'DOUBT.dat']);
    const second = await clientRound(folder);
    expect(arrived()).toBe(2);
    expect(folder.list(a, 'SENT')).toEqual(['DOUBT.ctl', 'DOUBT.dat']);
    const sentId = elementOf(folder.read(a, 'SENT', 'DOUBT.ctl'), 'DTSId');
    expect(lineOf(second, 'pair-sent-in-doubt')).toMatchObject({
      level: 'warn',
      fields: { messageId: sentId, firstAttempt: lineOf(second, 'doubt-resolved')?.fields?.['key'] },
    });
  });

  it('and lost again is held, never sent a third time, until a person asks for it', async () => {
    make(plain);
    folder.drop(a, 'TWICE', 'bytes', { To_DTS: b });
    toLose = 2;
    await clientRound(folder);
    await clientRound(folder);
    const third = await clientRound(folder);
    expect(events(third)).toContain('pair-held');
    await clientRound(folder);
    expect(arrived()).toBe(2);
    expect(folder.list(a, 'OUT')).toEqual(['TWICE.ctl', 'TWICE.dat']);
    expect((await runCommand('retry', 'TWICE', folder.configFile)).status).toBe(0);
    await clientRound(folder);
    expect(arrived()).toBe(3);
    expect(folder.list(a, 'SENT')).toEqual(['TWICE.ctl', 'TWICE.dat']);
  });

  it.each([
    ['cut off', () => plain],
    ['a page of a gateway', () => paging],
  ])('is found by a reference that no other pair had, and is not sent again: %s', async (_what, line) => {
    make(line());
    folder.drop(a, 'FOUND', 'bytes', { To_DTS: b, LocalId: `REF-${home.path}` });
    toLose = 1;
    await clientRound(folder);
    const second = await clientRound(folder);
    expect(lineOf(second, 'doubt-resolved')?.text).toContain('the service has it');
    await clientRound(folder);
    expect(arrived()).toBe(1);
    expect(folder.list(a, 'SENT')).toHaveLength(2);
  });

  it('with a reference of another pair is not taken for that one', async () => {
    make(plain);
    const fields = { To_DTS: b, LocalId: `SHARED-${home.path}` };
    folder.drop(a, 'EARLIER', 'one', fields);
    await clientRound(folder);
    folder.drop(a, 'LATER', 'two', fields);
    toLose = 1;
    await clientRound(folder);
    await clientRound(folder);
    expect(arrived()).toBe(3);
    const ids = ['EARLIER.ctl', 'LATER.ctl'].map((name) => elementOf(folder.read(a, 'SENT', name), 'DTSId'));
    expect(new Set(ids).size).toBe(2);
  });

  it('is held at once where OnDoubt is hold', async () => {
    make(plain, { OnDoubt: 'hold' });
    folder.drop(a, 'HELD', 'bytes', { To_DTS: b });
    toLose = 1;
    await clientRound(folder);
    expect(events(await clientRound(folder))).toContain('pair-held');
    await clientRound(folder);
    expect(arrived()).toBe(1);
    expect(folder.list(a, 'OUT')).toHaveLength(2);
  });
});

describe('a pair whose answer was lost, at an OpenMESH', () => {
  it('is sent again under its key and arrives once', async () => {
    make(keyed);
    folder.drop(a, 'KEYED', 'bytes', { To_DTS: b });
    toLose = 1;
    await clientRound(folder);
    await clientRound(folder);
    expect(arrived()).toBe(1);
    expect(folder.list(a, 'SENT')).toHaveLength(2);
  });

  it('and was a refusal, is told to the sender in one report, though it has no reference', async () => {
    make(keyed);
    folder.drop(a, 'REFUSED', 'bytes', { To_DTS: 'NOBODY99' });
    toLose = 1;
    // Sending alone: the service's own report waits in the inbox until the second life has asked again.
    await clientRound(folder);
    await clientRound(folder);
    await clientRound(folder);
    expect(folder.list(a, 'FAILED')).toEqual(['REFUSED.ctl', 'REFUSED.dat']);
    expect(folder.list(a, 'IN').map((name) => elementOf(folder.read(a, 'IN', name), 'StatusCode'))).toEqual(['12']);
  });
});

describe('a pair whose files were taken out of OUT', () => {
  it.each([
    ['held', { OnDoubt: 'hold' }, 2, 'warn'],
    ['in doubt', {}, 1, 'error'],
  ])('while it was %s is closed with a line in the log, and leave is free to go', async (_how, more, rounds, level) => {
    make(plain, more);
    folder.drop(a, 'GONE', 'bytes', { To_DTS: b });
    toLose = 1;
    for (let round = 0; round < rounds; round += 1) await clientRound(folder);
    for (const name of folder.list(a, 'OUT')) folder.remove(a, 'OUT', name);
    expect((await runCommand('leave', folder.configFile)).status).toBe(0);
    const { lines } = await clientRound(folder);
    expect(lines.find(({ event }) => event === 'pair-withdrawn')).toMatchObject({ level });
    const status = await runCommand('status', folder.configFile, '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ open: [] });
    expect((await clientRound(folder)).lines.map(({ event }) => event)).not.toContain('pair-withdrawn');
  });
});
