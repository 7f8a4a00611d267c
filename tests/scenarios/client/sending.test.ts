import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { clientRound, type Round } from '../../kit/client-scenario.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
let exchange: ExchangeInProcess;
let home: TemporaryFolder;
let folder: ClientFolder;
/** No waiting for what is not there: tests have no time for senders that are slow. */
const settings = { PairTimeoutMinutes: '0', ControlGraceSeconds: '0', BackoffSeconds: '1', ServerRetry: '1' };
const make = (more: Record<string, string> = {}, mailboxSettings: Record<string, string> = {}): ClientFolder =>
  new ClientFolder(home.path, {
    url: exchange.url,
    mailboxes: [a, b],
    settings: { ...settings, ...more },
    mailboxSettings,
  });
const statusOf = (mailbox: string, name: string): string => {
  const control = folder.read(mailbox, 'IN', name);
  return ['Event', 'Status', 'StatusCode'].map((element) => elementOf(control, element)).join('/');
};

/** Codes of the pairs that the log says cannot be sent. */
const refused = ({ lines }: Round): readonly unknown[] =>
  lines.filter(({ event }) => event === 'pair-refused').map(({ fields }) => fields?.['code']);

beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  home = await temporaryFolder('client');
  folder = make();
});
afterEach(() => home.remove());

describe('a pair that cannot be sent goes to FAILED, both files, with one report and one line in the log', () => {
  it.each([
    ['an address nobody has', { To_DTS: 'NOBODY99' }, 'SEND/ERROR/12'],
    ['no address', { To_DTS: '' }, 'SEND/ERROR/08'],
    ['an address of the web', { To_DTS: 'https://example.org' }, 'SEND/ERROR/08'],
    ['another sender', { To_DTS: b, From_DTS: 'Y99ABC3' }, 'SEND/ERROR/07'],
    ['a report', { To_DTS: b, MessageType: 'Report' }, 'SEND/ERROR/11'],
    ['an SMTP address', { To_DTS: b, AddressType: 'SMTP' }, 'SEND/ERROR/10'],
    ['an odd version', { To_DTS: b, Version: 'one' }, 'SEND/ERROR/09'],
    ['no workflow', { To_DTS: b, WorkflowId: '' }, 'TRANSFER/ERROR/06'],
    ['a reference that is too long', { To_DTS: b, LocalId: 'x'.repeat(301) }, 'TRANSFER/ERROR/06'],
  ])('with %s', async (_what, fields, status) => {
    folder.drop(a, 'BAD00000001', 'bytes', fields);
    expect(refused(await clientRound(folder))).toEqual([status.slice(-2)]);
    // The exchange puts a report of its own into the inbox for some of these: still there is one in IN.
    await clientRound(folder);
    expect(folder.list(a, 'OUT')).toEqual([]);
    expect(folder.list(a, 'FAILED')).toEqual(['BAD00000001.ctl', 'BAD00000001.dat']);
    expect(folder.list(a, 'IN')).toEqual(['BAD00000001.ctl']);
    expect(statusOf(a, 'BAD00000001.ctl')).toBe(status);
    expect(elementOf(folder.read(a, 'FAILED', 'BAD00000001.ctl'), 'Status')).toBe('ERROR');
  });

  it('with no bytes, packed or not', async () => {
    folder.drop(a, 'EMPTY1', '', { To_DTS: b, Compress: 'Y' });
    folder.drop(a, 'EMPTY2', '', { To_DTS: b, Compress: 'N' });
    expect(refused(await clientRound(folder))).toEqual(['02', '02']);
    expect([statusOf(a, 'EMPTY1.ctl'), statusOf(a, 'EMPTY2.ctl')]).toEqual(['COLLECT/ERROR/02', 'COLLECT/ERROR/02']);
  });

  it('with a control file that is none, as it is', async () => {
    folder.drop(a, 'TORN', 'bytes', { To_DTS: b });
    writeFileSync(folder.path(a, 'OUT', 'TORN.ctl'), '<DTSControl><To_DTS>');
    expect(refused(await clientRound(folder))).toEqual(['01']);
    expect(statusOf(a, 'TORN.ctl')).toBe('COLLECT/ERROR/01');
    expect(folder.read(a, 'FAILED', 'TORN.ctl').toString()).toBe('<DTSControl><To_DTS>');
  });

  it('with data too large for one message, when it may not be cut', async () => {
    folder = make({ WholeMessageMegabytes: '1', ChunkMegabytes: '1' });
    folder.drop(a, 'LARGE', Buffer.alloc(2_000_000, 1), { To_DTS: b, Compress: 'N' });
    folder.drop(a, 'CUT', Buffer.alloc(2_000_000, 1), { To_DTS: b, Compress: 'N', AllowChunking: 'Y' });
    folder.drop(a, 'PACKED', Buffer.alloc(2_000_000, 1), { To_DTS: b, Compress: 'Y' });
    expect(refused(await clientRound(folder))).toEqual(['06']);
    expect(statusOf(a, 'LARGE.ctl')).toBe('TRANSFER/ERROR/06');
    expect(folder.list(a, 'SENT')).toEqual(['CUT.ctl', 'CUT.dat', 'PACKED.ctl', 'PACKED.dat']);
  });

  it('without data, once its time is up; data without a control file is left alone', async () => {
    folder.dropControl(a, 'ALONE', { To_DTS: b });
    writeFileSync(folder.path(a, 'OUT', 'ORPHAN.dat'), 'bytes');
    expect(refused(await clientRound(folder))).toEqual(['02']);
    expect(folder.list(a, 'FAILED')).toEqual(['ALONE.ctl']);
    expect(statusOf(a, 'ALONE.ctl')).toBe('COLLECT/ERROR/02');
    expect(folder.list(a, 'OUT')).toEqual(['ORPHAN.dat']);
  });
});

describe('names and files of every kind', () => {
  it('sends names with dots, blanks, other letters, other case and 200 characters, and keeps them', async () => {
    const bases = ['report.csv', 'two words', 'Überweisung', 'x'.repeat(200), 'a..b', '-rf', "o'neill&co"];
    for (const base of bases) folder.drop(a, base, base, { To_DTS: b });
    writeFileSync(folder.path(a, 'OUT', 'LOUD.DAT'), 'LOUD');
    writeFileSync(
      folder.path(a, 'OUT', 'LOUD.CTL'),
      `<DTSControl><To_DTS>${b}</To_DTS><WorkflowId>W</WorkflowId></DTSControl>`,
    );
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes).toMatchObject({
      [a]: { sent: bases.length + 1, failed: 0 },
      [b]: { received: bases.length + 1 },
    });
    const kept = [...bases.flatMap((base) => [`${base}.ctl`, `${base}.dat`]), 'LOUD.CTL', 'LOUD.DAT'];
    expect(folder.list(a, 'SENT')).toEqual(kept.sort());
    // Nothing of a sender's name becomes one here.
    for (const name of folder.list(b, 'IN')) expect(name).toMatch(/^\d{20}_[0-9A-F]{6}\.(ctl|dat)$/);
  });

  it('follows no link, and takes no folder and no unfinished file for one of a pair', async () => {
    const secret = folder.path(a, 'secret');
    writeFileSync(secret, 'not for sending');
    folder.dropControl(a, 'LINK', { To_DTS: b });
    symlinkSync(secret, folder.path(a, 'OUT', 'LINK.dat'));
    mkdirSync(folder.path(a, 'OUT', 'FOLDER.ctl'));
    folder.dropControl(a, '~copying', { To_DTS: b });
    writeFileSync(folder.path(a, 'OUT', 'half.dat.part'), 'half');
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes[a]).toEqual({ sent: 0, failed: 1, received: 0 });
    expect(statusOf(a, 'LINK.ctl')).toBe('COLLECT/ERROR/02');
    expect(folder.list(a, 'OUT')).toEqual(['half.dat.part', '~copying.ctl']);
  });

  it('moves folders aside that lie where a pair goes, and takes another name for a report than that of a folder', async () => {
    mkdirSync(folder.path(a, 'SENT', 'WAY.dat'));
    mkdirSync(folder.path(a, 'SENT', 'WAY.ctl'));
    mkdirSync(folder.path(a, 'IN', 'WAY.ctl'));
    folder.drop(a, 'WAY', 'bytes', { To_DTS: b });
    expect((await clientRound(folder)).mailboxes[a]).toMatchObject({ sent: 1 });
    expect(folder.list(a, 'SENT')).toEqual(['WAY.ctl', 'WAY.dat']);
    expect(readdirSync(folder.path(a, 'SENT'))).toHaveLength(4);
    expect(folder.list(a, 'IN')).toEqual(['WAY_1.ctl']);
  });

  it('keeps both pairs when a name is used again, the older one with the time in its name', async () => {
    folder.drop(a, 'SEQ00000001', 'first', { To_DTS: b });
    await clientRound(folder);
    folder.drop(a, 'SEQ00000001', 'second', { To_DTS: b });
    await clientRound(folder);
    const names = folder.list(a, 'SENT');
    expect(names).toHaveLength(4);
    expect(folder.read(a, 'SENT', 'SEQ00000001.dat').toString()).toBe('second');
    const older = names.find((name) => /^SEQ00000001_\d{17}\.dat$/.test(name)) ?? '';
    expect(folder.read(a, 'SENT', older).toString()).toBe('first');
    expect(folder.list(a, 'IN')).toEqual(['SEQ00000001.ctl', 'SEQ00000001_1.ctl']);
  });

  it('does the same with names as long as any may be, and sends what lies beside them', async () => {
    const longest = ['x'.repeat(251), `y${'é'.repeat(125)}`];
    for (const To_DTS of [b, b, b, 'NOBODY99', 'NOBODY99']) {
      for (const base of longest) folder.drop(a, base, To_DTS, { To_DTS });
      await clientRound(folder);
    }
    folder.drop(a, 'BESIDE', 'bytes', { To_DTS: b });
    await clientRound(folder);
    expect(folder.list(a, 'OUT')).toEqual([]);
    expect(folder.list(a, 'SENT')).toHaveLength(2 + longest.length * 3 * 2);
    expect(folder.list(a, 'FAILED')).toHaveLength(longest.length * 2 * 2);
    // One of each sending, and of each failure.
    expect(folder.list(a, 'IN')).toHaveLength(1 + longest.length * 5);
  });

  it('sends control characters of a subject as blanks, and cuts one that is too long, which it says', async () => {
    folder.drop(a, 'SUBJECT1', 'bytes', { To_DTS: b, Subject: 'two\tlines\nand a\u0007bell' });
    folder.drop(a, 'SUBJECT2', 'bytes', { To_DTS: b, Subject: 'é'.repeat(600) });
    folder.drop(a, 'VERSION', 'bytes', { To_DTS: b, Subject: 'third', Version: '3' });
    const { lines } = await clientRound(folder);
    const subjects = folder
      .list(b, 'IN')
      .filter((name) => name.endsWith('.ctl'))
      .map((name) => elementOf(folder.read(b, 'IN', name), 'Subject'));
    expect(subjects).toEqual(['two lines and a bell', 'é'.repeat(500), 'third']);
    const remarks = lines.filter(({ event }) => event === 'control-file-remark');
    expect(remarks.map(({ level, fields }) => [level, fields?.['remark']])).toEqual([
      ['warn', 'subject-cut'],
      ['warn', 'version'],
    ]);
  });
});

describe('settings of a mailbox', () => {
  it('removes what was sent when SaveSent is N, and writes the reports that are wanted', async () => {
    folder = make({}, { SaveSent: 'N', CollectReport: 'N', TransferReport: 'Y' });
    folder.drop(a, 'GONE', 'bytes', { To_DTS: b });
    await clientRound(folder);
    expect([folder.list(a, 'OUT'), folder.list(a, 'SENT')]).toEqual([[], []]);
    expect(folder.list(a, 'IN')).toEqual(['GONE.ctl']);
    expect(statusOf(a, 'GONE.ctl')).toBe('TRANSFER/SUCCESS/00');
  });

  it('hides a patient’s details in SENT where that is wanted, and never logs them', async () => {
    folder = make({ RedactSent: 'Y' });
    folder.drop(a, 'GP', 'bytes', { To_DTS: 'GPPROVIDER_9990000018_19670126_Smith', Subject: 'for patient Smith' });
    const { lines } = await clientRound(folder);
    expect(JSON.stringify(lines)).not.toMatch(/Smith|9990000018/);
  });

  it('logs neither subject, reference, file name nor password of anything it sends or refuses', async () => {
    folder.drop(a, 'PERSONALNAME', 'bytes', { To_DTS: b, Subject: 'PERSONALSUBJECT', LocalId: 'PERSONALREF' });
    folder.drop(a, 'PERSONALNAME2', 'bytes', {
      To_DTS: 'NOBODY99',
      Subject: 'PERSONALSUBJECT',
      LocalId: 'PERSONALREF',
    });
    const { lines } = await clientRound(folder);
    expect(lines.length).toBeGreaterThan(2);
    expect(JSON.stringify(lines)).not.toMatch(/PERSONAL|kit-password|kit-shared-key/);
  });
});

describe('a service that is away', () => {
  it('leaves everything in OUT, and sends all of it in order when the service is back', async () => {
    const bases = Array.from({ length: 5 }, (_, number) => `Q${number}`);
    for (const base of bases) folder.drop(a, base, base, { To_DTS: b, LocalId: base });
    folder.configure({ url: 'http://127.0.0.1:9', mailboxes: [a, b], settings });
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes[a]).toMatch(/connection/);
    expect(folder.list(a, 'OUT')).toHaveLength(10);
    folder.configure({ url: exchange.url, mailboxes: [a, b], settings });
    await clientRound(folder);
    const order = folder
      .list(b, 'IN')
      .filter((name) => name.endsWith('.dat'))
      .map((name) => folder.read(b, 'IN', name).toString());
    expect(order).toEqual(bases);
  });

  it('takes a wrong password for a fault of the mailbox: nothing moves, and the other mailbox works', async () => {
    folder.drop(a, 'KEPT', 'bytes', { To_DTS: b });
    const wrong = { ClientAuthentication: 'wrong' };
    folder.configure({ url: exchange.url, mailboxes: [a], settings, mailboxSettings: wrong });
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes[a]).toMatch(/./);
    expect(folder.list(a, 'OUT')).toEqual(['KEPT.ctl', 'KEPT.dat']);
    expect(folder.list(a, 'FAILED')).toEqual([]);
  });
});
