import { symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { startScriptedService, taken } from '../../kit/scripted-service.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const mailbox = 'X26ABC1';
const minuteMs = 60_000;
const settings = { ControlGraceSeconds: '600', PairTimeoutMinutes: '10' };

let home: TemporaryFolder;
let folder: ClientFolder;
beforeEach(async () => {
  home = await temporaryFolder('client-rare-lives');
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await home.remove();
});

/** Old by their own time, so that they are looked at in the first life. */
function age(...names: readonly string[]): void {
  const before = new Date(Date.now() - 60 * minuteMs);
  for (const name of names) utimesSync(folder.path(mailbox, 'OUT', name), before, before);
}

function makeFolder(url: string): void {
  folder = new ClientFolder(home.path, { url, mailboxes: [mailbox], settings });
}

/** A pair whose control file is half written, and stays so. */
function dropTorn(): void {
  folder.drop(mailbox, 'TORN', 'bytes', { To_DTS: mailbox });
  writeFileSync(folder.path(mailbox, 'OUT', 'TORN.ctl'), '<DTSControl><Version>');
  age('TORN.ctl', 'TORN.dat');
}

const pass = (minutes: number): unknown => vi.setSystemTime(Date.now() + minutes * minuteMs);

/** A client that is started every few minutes and ends when there is nothing to do, as by cron. */
describe('a client that never lives for long', () => {
  it('fails what cannot be sent when its time is up over its lives, and not before', async () => {
    await using service = await startScriptedService();
    makeFolder(service.url);
    dropTorn();
    folder.dropControl(mailbox, 'ALONE', { To_DTS: mailbox });
    folder.dropControl(mailbox, 'LINK', { To_DTS: mailbox });
    age('ALONE.ctl', 'LINK.ctl');
    symlinkSync('/etc/passwd', folder.path(mailbox, 'OUT', 'LINK.dat'));
    for (let life = 0; life < 2; life += 1) {
      expect((await clientRound(folder)).mailboxes[mailbox]).toMatchObject({ sent: 0, failed: 0 });
      pass(6);
    }
    expect((await clientRound(folder)).mailboxes[mailbox]).toMatchObject({ sent: 0, failed: 3 });
    const told = folder.list(mailbox, 'IN').map((name) => elementOf(folder.read(mailbox, 'IN', name), 'StatusCode'));
    expect(told.sort((one = '', other = '') => one.localeCompare(other))).toEqual(['01', '02', '02']);
  });

  it('counts also the lives in which the service is away before it comes to a pair', async () => {
    let isAway = true;
    await using service = await startScriptedService({
      onSend: (_localId, nth) => (isAway ? { status: 503, json: {} } : taken(nth)),
    });
    makeFolder(service.url);
    dropTorn();
    await clientRound(folder);
    pass(6);
    folder.drop(mailbox, 'FIRST', 'bytes', { To_DTS: mailbox, LocalId: 'FIRST' });
    age('FIRST.ctl', 'FIRST.dat');
    const earlier = new Date(Date.now() - 120 * minuteMs);
    utimesSync(folder.path(mailbox, 'OUT', 'FIRST.ctl'), earlier, earlier);
    expect((await clientRound(folder)).mailboxes[mailbox]).toEqual(expect.any(String));
    pass(6);
    isAway = false;
    expect((await clientRound(folder)).mailboxes[mailbox]).toMatchObject({ sent: 1, failed: 1 });
  });

  it('says once of what can never be sent as it lies that it does, and leaves it', async () => {
    await using service = await startScriptedService();
    makeFolder(service.url);
    writeFileSync(folder.path(mailbox, 'OUT', 'LONE.dat'), 'bytes');
    symlinkSync('/etc/passwd', folder.path(mailbox, 'OUT', 'LINK.ctl'));
    writeFileSync(folder.path(mailbox, 'OUT', 'LINK.dat'), 'bytes');
    const latin = Buffer.concat([Buffer.from(folder.path(mailbox, 'OUT', 'R')), Buffer.from([0xf6])]);
    for (const ending of ['.dat', '.ctl']) writeFileSync(Buffer.concat([latin, Buffer.from(ending)]), 'bytes');
    const told = async (): Promise<unknown> =>
      (await clientRound(folder)).lines
        .filter(({ level }) => level === 'warn')
        .map(({ event, fields }) => `${event} ${String(fields?.['count'])}`);
    expect(await told()).toEqual([]);
    pass(61);
    expect(await told()).toEqual(['data-without-control-file 1', 'file-not-usable 2']);
    expect(folder.list(mailbox, 'OUT')).toHaveLength(4);
  });

  it('gives what was mended or completed meanwhile its whole time again', async () => {
    await using service = await startScriptedService();
    makeFolder(service.url);
    dropTorn();
    await clientRound(folder);
    pass(9);
    writeFileSync(folder.path(mailbox, 'OUT', 'TORN.ctl'), '<DTSControl><Version>1.0</Version>');
    age('TORN.ctl');
    await clientRound(folder);
    pass(9);
    expect((await clientRound(folder)).mailboxes[mailbox]).toMatchObject({ sent: 0, failed: 0 });
    pass(2);
    expect((await clientRound(folder)).mailboxes[mailbox]).toMatchObject({ sent: 0, failed: 1 });
  });

  it('says of a pair that was taken out of OUT before it was sent that it was', async () => {
    await using service = await startScriptedService({ onSend: () => ({ status: 503, json: {} }) });
    makeFolder(service.url);
    folder.drop(mailbox, 'GONE', 'bytes', { To_DTS: mailbox, LocalId: 'GONE' });
    age('GONE.ctl', 'GONE.dat');
    await clientRound(folder);
    for (const name of ['GONE.ctl', 'GONE.dat']) unlinkSync(folder.path(mailbox, 'OUT', name));
    const saidIn = async (): Promise<boolean> =>
      (await clientRound(folder)).lines.some(({ event }) => event === 'pair-withdrawn');
    expect(await saidIn()).toBe(false);
    pass(11);
    expect(await saidIn()).toBe(true);
    pass(11);
    expect(await saidIn()).toBe(false);
  });
});
