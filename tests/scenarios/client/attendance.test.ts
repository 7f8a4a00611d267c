import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { issueTestCertificate, type TestIdentity, testCertificates } from '../../kit/certificates.ts';
import { runCommand } from '../../kit/client-command.ts';
import { ClientFolder } from '../../kit/client-folder.ts';
import { ClientProcess } from '../../kit/client-process.ts';
import { freePort } from '../../kit/free-port.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
const dayMs = 86_400_000;
let exchange: ExchangeInProcess;
let home: TemporaryFolder;
let running: ClientProcess | undefined;

beforeAll(async () => {
  exchange = await ExchangeInProcess.start();
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  home = await temporaryFolder('client');
});
afterEach(async () => {
  await running?.kill9();
  running = undefined;
  await home.remove();
});

const until = async (isDone: () => boolean | Promise<boolean>): Promise<void> => {
  for (let looks = 0; looks < 1600 && !(await isDone()); looks += 1) await setTimeout(50);
  expect(await isDone()).toBe(true);
};

/** A folder whose certificate and key are files of its own, so that they can be replaced. */
const make = async (identity: TestIdentity, more: Record<string, string> = {}): Promise<ClientFolder> => {
  const { authorityFile } = await testCertificates();
  const settings = {
    CertificateFile: join(home.path, 'client.pem'),
    KeyFile: join(home.path, 'client-key.pem'),
    AuthorityFile: authorityFile,
    ServerRetry: '1',
    StatusSeconds: '1',
    ...more,
  };
  put(identity);
  return new ClientFolder(home.path, { url: exchange.url, mailboxes: [a, b], settings });
};
const put = ({ certificateFile, keyFile }: TestIdentity): void => {
  copyFileSync(certificateFile, join(home.path, 'client.pem'));
  copyFileSync(keyFile, join(home.path, 'client-key.pem'));
};
const start = async (folder: ClientFolder, nodeArgs: readonly string[] = []): Promise<ClientProcess> => {
  const client = ClientProcess.start({ configFile: folder.configFile, nodeArgs });
  running = client;
  await until(() => client.said.includes('ready mailboxes=2'));
  return client;
};
const lines = (client: ClientProcess): readonly Record<string, unknown>[] =>
  client.said
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const endingIn = (days: number, name: string): Promise<TestIdentity> => {
  const now = Date.now();
  const validity = { notBeforeMs: now - dayMs, notAfterMs: now + days * dayMs + dayMs / 2 };
  return issueTestCertificate(name, {
    commonName: 'ENDING.X26.api.mesh-client.nhs.uk',
    validity,
    uses: ['clientAuth'],
  });
};

describe('keys and certificates', () => {
  it('that are replaced while the client works are taken into use, and what waited is sent', async () => {
    const { clients } = await testCertificates();
    const folder = await make(clients.expired);
    folder.drop(a, 'WAITS', 'bytes', { To_DTS: b });
    const client = await start(folder);
    // The server cuts the connection, which is all that an expired certificate is told.
    await until(() => client.said.includes('service-unreachable'));
    expect(folder.list(a, 'OUT')).toHaveLength(2);
    put(clients.x26);
    await until(() => folder.list(a, 'SENT').length === 2);
    expect(client.said).toContain('keys-reloaded');
  });

  it('that are no good are said to be, and the former ones stay in use', async () => {
    const { clients } = await testCertificates();
    const folder = await make(clients.x26);
    const client = await start(folder);
    writeFileSync(join(home.path, 'client-key.pem'), 'half of a key');
    await until(() => client.said.includes('keys-not-reloaded'));
    folder.drop(a, 'GOES', 'bytes', { To_DTS: b });
    await until(() => folder.list(a, 'SENT').length === 2);
    expect(lines(client).filter(({ event }) => event === 'keys-not-reloaded')).toHaveLength(1);
  });

  it.each([
    [80, 'warn'],
    [10, 'error'],
  ])('that end in %i days are told of in the log (%s), the metrics, the status and by check', async (days, level) => {
    const port = await freePort();
    const folder = await make(await endingIn(days, `ending-${days}`), { MetricsPort: String(port) });
    const client = await start(folder);
    const line = lines(client).find(
      ({ event, certificate }) => event === 'certificate-ending' && certificate === 'client',
    );
    expect(line).toMatchObject({ level, daysLeft: days });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain(`openmesh_client_certificate_days_left{certificate="client"} ${days}`);
    const status = await runCommand('status', folder.configFile);
    expect(status.stdout).toContain(`certificate client: ${days} days left`);
    const check = await runCommand('check', folder.configFile, '--offline');
    expect(check.stdout).toMatch(new RegExp(`warning client certificate client: ${days} days left`));
  });

  it('that last longer are not told of', async () => {
    const folder = await make(await endingIn(100, 'lasting'));
    const client = await start(folder);
    const told = lines(client).filter(
      ({ event, certificate }) => event === 'certificate-ending' && certificate === 'client',
    );
    expect(told).toEqual([]);
  });
});

describe('an alert command', () => {
  it('is run with code, mailbox and sentence, once for each, and its own failure is said', async () => {
    const { clients } = await testCertificates();
    const program = join(home.path, 'alert.sh');
    const told = join(home.path, 'told');
    writeFileSync(program, `#!/bin/sh\nprintf '%s|%s|%s\\n' "$1" "$2" "$3" >> '${told}'\n`, { mode: 0o755 });
    const folder = await make(clients.x26, { AlertCommand: program });
    writeFileSync(folder.configFile, readFileSync(folder.configFile, 'utf8').replaceAll('kit-password', 'wrong'));
    folder.drop(a, 'WAITS', 'bytes', { To_DTS: b });
    const client = await start(folder);
    await until(() => existsSync(told) && readFileSync(told, 'utf8').includes(`mailbox-disturbed|${b}`));
    // Both directions of both mailboxes have failed by now, and nobody is told twice.
    await until(() => lines(client).filter(({ event }) => event === 'mailbox-disturbed').length >= 3);
    const codes = readFileSync(told, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('|').slice(0, 2).join('|'));
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).toContain(`mailbox-disturbed|${a}`);
    expect(codes).toContain('certificate-ending|');
  });

  it('that cannot be started is said to be, and the client works on', async () => {
    const { clients } = await testCertificates();
    const ending = await endingIn(5, 'ending-soon');
    const folder = await make(ending, { AlertCommand: join(home.path, 'nowhere') });
    const client = await start(folder);
    await until(() => client.said.includes('alert-failed'));
    put(clients.x26);
    folder.drop(a, 'GOES', 'bytes', { To_DTS: b });
    await until(() => folder.list(a, 'SENT').length === 2);
  });
});

describe('the metrics listener', () => {
  it('answers metrics, health and readiness on loopback, and nothing else', async () => {
    const { clients } = await testCertificates();
    const port = await freePort();
    const folder = await make(clients.x26, { MetricsPort: String(port) });
    folder.drop(a, 'COUNTED', 'bytes', { To_DTS: b });
    await start(folder);
    await until(() => folder.list(a, 'SENT').length === 2);
    const ask = async (path: string, method = 'GET'): Promise<readonly [number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
      return [answer.status, await answer.text()];
    };
    const [status, text] = await ask('/metrics');
    expect(status).toBe(200);
    expect(text).toContain(`openmesh_client_pairs_sent_total{mailbox="${a}"} 1`);
    expect(text).toContain(`openmesh_client_sent_bytes_total{mailbox="${a}"} 5`);
    expect(text).not.toContain('COUNTED');
    expect(await ask('/health')).toEqual([200, '{"status":"running"}\n']);
    await until(async () => (await ask('/ready'))[0] === 200);
    expect((await ask('/'))[0]).toBe(404);
    expect((await ask('/metrics', 'POST'))[0]).toBe(405);
  });

  it('is not ready while a mailbox is disturbed', async () => {
    const { clients } = await testCertificates();
    const port = await freePort();
    await start(await make(clients.expired, { MetricsPort: String(port) }));
    await until(async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status === 503);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });
});

const fill = (folder: ClientFolder): void => {
  for (const place of ['SENT', 'FAILED', 'IN', 'OUT']) {
    for (const name of ['PAIR.dat', 'PAIR.ctl', 'OTHER.txt']) writeFileSync(folder.path(a, place, name), 'x');
    // The data of a pair may be much older than its way through these folders.
    utimesSync(folder.path(a, place, 'PAIR.dat'), new Date(0), new Date(0));
    mkdirSync(folder.path(a, place, 'archive.ctl'));
  }
  // Not ready to be sent: only retention could touch it.
  rmSync(folder.path(a, 'OUT', 'PAIR.ctl'));
};
/** What remains after a start so many days from now. */
const remaining = async (folder: ClientFolder, days: number): Promise<Readonly<Record<string, readonly string[]>>> => {
  const later = `data:text/javascript,const now=Date.now;Date.now=()=>now()+${days * dayMs}`;
  const client = await start(folder, ['--import', later]);
  await until(() => client.said.includes('housekeeping-done'));
  await client.kill9();
  // A clock that is days ahead is refused by the service, of which a report tells.
  const ours = (place: string): readonly string[] => folder.list(a, place).filter((name) => !name.startsWith('POLL_'));
  return Object.fromEntries(['SENT', 'FAILED', 'IN', 'OUT'].map((place) => [place, ours(place)]));
};

describe('retention', () => {
  const pair = ['OTHER.txt', 'PAIR.ctl', 'PAIR.dat'];
  const untouched = { IN: pair, OUT: ['OTHER.txt', 'PAIR.dat'] };

  it('removes pairs from SENT and FAILED where it is asked to, when they were there so long, and never anything else', async () => {
    const { clients } = await testCertificates();
    const folder = await make(clients.x26, { SentKeepDays: '2', FailedKeepDays: '5' });
    fill(folder);
    expect(await remaining(folder, 1)).toEqual({ ...untouched, SENT: pair, FAILED: pair });
    expect(await remaining(folder, 3)).toEqual({ ...untouched, SENT: ['OTHER.txt'], FAILED: pair });
    expect(await remaining(folder, 6)).toEqual({ ...untouched, SENT: ['OTHER.txt'], FAILED: ['OTHER.txt'] });
  });

  it('keeps everything where it is not asked for', async () => {
    const { clients } = await testCertificates();
    const folder = await make(clients.x26);
    fill(folder);
    expect(await remaining(folder, 300)).toEqual({ ...untouched, SENT: pair, FAILED: pair });
  });
});
