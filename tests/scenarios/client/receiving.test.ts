import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journalFileIn } from '@openmesh/client/compose.ts';
import { receivedBase } from '@openmesh/client/folders/names.ts';
import { openJournal } from '@openmesh/client/journal/sqlite-journal.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
const dayMs = 86_400_000;
let exchange: ExchangeInProcess;
let home: TemporaryFolder;
let folder: ClientFolder;

beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  home = await temporaryFolder('client');
  folder = new ClientFolder(home.path, { url: exchange.url, mailboxes: [a, b], settings: { ServerRetry: '1' } });
});
afterEach(() => home.remove());

const waiting = async (mailbox: string): Promise<number> => {
  const { body } = await exchange.client(mailbox).count();
  return (JSON.parse(body.toString()) as { count: number }).count;
};

describe('receiving', () => {
  it('delivers once though the application has taken the files and the journal is asked again', async () => {
    folder.drop(a, 'ONE', 'bytes', { To_DTS: b });
    await clientRound(folder);
    const names = folder.list(b, 'IN');
    for (const name of names) rmSync(folder.path(b, 'IN', name));
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes[b]).toEqual({ sent: 0, failed: 0, received: 0 });
    expect(folder.list(b, 'IN')).toEqual([]);
  });

  it('acknowledges nothing while IN cannot be written, and fetches all of it afterwards', async () => {
    folder.drop(a, 'SAFE', 'bytes', { To_DTS: b });
    const [inbox, aside] = [folder.path(b, 'IN'), folder.path(b, 'IN-away')];
    renameSync(inbox, aside);
    writeFileSync(inbox, 'a file where a folder should be');
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes[b]).toMatch(/refused/);
    expect(await waiting(b)).toBe(1);
    rmSync(inbox);
    renameSync(aside, inbox);
    await clientRound(folder);
    expect(folder.list(b, 'IN')).toHaveLength(2);
    expect(await waiting(b)).toBe(0);
  });

  it('does not write again what still lies in IN, when the journal was lost', async () => {
    folder.drop(a, 'LOST', 'bytes', { To_DTS: b });
    await clientRound(folder);
    const before = folder.list(b, 'IN');
    rmSync(join(home.path, 'working'), { recursive: true });
    await clientRound(folder);
    expect(folder.list(b, 'IN')).toEqual(before);
  });

  it('lets the application read what was fetched anew, because a part of it was lost, as what came at once', async () => {
    await clientRound(folder);
    const sender = exchange.client(a);
    const messageId = sentIdOf(await sender.send({ to: b, workflowId: 'WF', chunkRange: '1:2' }, 'one '));
    await sender.sendChunk(messageId, 2, 2, 'two');
    const done = [{ chunk: 1, bytes: 4, sha256: '0'.repeat(64) }];
    const progress = JSON.stringify({ version: 1, mailboxId: b, messageId, totalChunks: 2, done });
    {
      using journal = openJournal(journalFileIn(join(home.path, 'working')));
      const facts = { mailbox: b, messageId, isReport: false, linkedId: null, moves: null };
      journal.putIncoming({ ...facts, state: 'fetching', progress, changedMs: Date.now() });
    }
    await clientRound(folder);
    expect(folder.read(b, 'IN', `${messageId}.dat`).toString()).toBe('one two');
    const [data, control] = ['dat', 'ctl'].map(
      (ending) => statSync(folder.path(b, 'IN', `${messageId}.${ending}`)).mode,
    );
    expect(data).toBe(control);
  });

  it('writes a report of the service as a control file alone, with the event, code and reference it came with', async () => {
    await using own = await ExchangeInProcess.start({ tls: 'off' });
    folder.configure({ url: own.url, mailboxes: [a] });
    folder.drop(a, 'NEVERFETCHED', 'bytes', { To_DTS: b, LocalId: 'REF-9', Subject: 'a subject' });
    await clientRound(folder);
    own.clock.advance(5 * dayMs + 1000);
    await own.runDueWork();
    const url = own.url;
    own.clock.advance(-5 * dayMs - 1000);
    folder.configure({ url, mailboxes: [a] });
    await clientRound(folder);
    const report = folder.list(a, 'IN').find((name) => /^\d/.test(name)) ?? '';
    const control = folder.read(a, 'IN', report);
    expect(elementOf(control, 'MessageType')).toBe('Report');
    expect(elementOf(control, 'StatusCode')).toBe('14');
    expect(elementOf(control, 'LocalId')).toBe('REF-9');
    expect(folder.list(a, 'IN').filter((name) => name.endsWith('.dat'))).toEqual([]);
  });
});

/** Fetched by a life that found a folder where the data should go; the folder is gone again. Answers the message's id. */
const fetchInVain = async (): Promise<string> => {
  folder.configure({ url: exchange.url, mailboxes: [a] });
  folder.drop(a, 'VAIN', 'bytes', { To_DTS: b });
  await clientRound(folder);
  const messageId = elementOf(folder.read(a, 'SENT', 'VAIN.ctl'), 'DTSId') ?? '';
  folder.configure({ url: exchange.url, mailboxes: [b] });
  mkdirSync(folder.path(b, 'IN', `${messageId}.dat`));
  expect((await clientRound(folder)).mailboxes[b]).toMatch(/EISDIR/);
  rmSync(folder.path(b, 'IN', `${messageId}.dat`), { recursive: true });
  return messageId;
};
const staging = (): string => folder.path(b, 'TEMP', '.openmesh');

describe('a message that was fetched and could not be moved into IN', () => {
  it.each([
    ['all of it', () => rmSync(staging(), { recursive: true })],
    ['its data', (messageId: string) => rmSync(join(staging(), `${messageId}.dat`))],
    ['its control file', (messageId: string) => rmSync(join(staging(), `${messageId}.ctl`))],
  ])('is fetched again when somebody removed %s from TEMP', async (_what, remove) => {
    const messageId = await fetchInVain();
    remove(messageId);
    await clientRound(folder);
    expect(folder.list(b, 'IN')).toEqual([`${messageId}.ctl`, `${messageId}.dat`]);
    expect(folder.read(b, 'IN', `${messageId}.dat`).toString()).toBe('bytes');
    expect(await waiting(b)).toBe(0);
    expect(readdirSync(staging())).toEqual([]);
  });

  it('comes once when it was moved after all, and the application has taken it', async () => {
    const messageId = await fetchInVain();
    for (const ending of ['dat', 'ctl']) rmSync(join(staging(), `${messageId}.${ending}`));
    await clientRound(folder);
    expect(folder.list(b, 'IN')).toEqual([]);
    expect(await waiting(b)).toBe(0);
  });
});

describe('names of received files', () => {
  it.each(['20250227121034456686_DD8A76', 'dtsapp05-201301201947406678', '0BAADD60305C43BAB4C7C8B0675D6410'])(
    '%s is kept',
    (id) => {
      expect(receivedBase(id)).toBe(id);
    },
  );

  it.each([
    '../../etc/passwd',
    '..',
    '.hidden',
    'a/b',
    'a\\b',
    'CON',
    'nul.txt',
    'COM1',
    'a\u0000b',
    'a b',
    'ends.',
    'x'.repeat(129),
    '',
  ])('%j becomes a digest', (id) => {
    expect(receivedBase(id)).toMatch(/^[0-9a-f]{64}$/);
  });
});
