import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReloadOutcome } from '@openmesh/exchange/http/tls/context.ts';
import { createTlsContexts } from '@openmesh/exchange/http/tls/context.ts';
import { TlsFault } from '@openmesh/exchange/http/tls/tls-fault.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  emptyRevocationList,
  issueTestCertificate,
  otherAuthority,
  type TestIdentity,
  testCertificates,
} from '../../kit/certificates.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';
import { type CallOutcome, call, openCaller } from './caller.ts';
import { startGuardedServer } from './guarded-server.ts';

guardLeaks();

const { clients, server: identity, authorityFile, revocationListFile } = await testCertificates();
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const now = Date.now();
const renewed: TestIdentity = await issueTestCertificate('renewed-server', {
  commonName: 'localhost',
  names: ['localhost', '127.0.0.1'],
  validity: { notBeforeMs: now - dayMs, notAfterMs: now + 30 * dayMs },
  uses: ['serverAuth'],
});

let folder: TemporaryFolder;
let files: { certificateFile: string; keyFile: string; caFile: string };

beforeEach(async () => {
  folder = await temporaryFolder('tls');
  const at = (name: string): string => join(folder.path, name);
  files = { certificateFile: at('server.pem'), keyFile: at('server-key.pem'), caFile: at('ca.pem') };
  await copyFile(identity.certificateFile, files.certificateFile);
  await copyFile(identity.keyFile, files.keyFile);
  await copyFile(authorityFile, files.caFile);
});

afterEach(() => folder.remove());

function sessionOf(outcome: CallOutcome): Buffer | undefined {
  return 'session' in outcome ? outcome.session : undefined;
}

describe('a reload', () => {
  it('gives new connections the new certificate and leaves open ones as they are', async () => {
    await using server = await startGuardedServer({ tls: files });
    using open = await openCaller({ port: server.port, identity: clients.x26 });
    expect(await open.request()).toMatchObject({ status: 200, serverFingerprint: identity.fingerprint });
    await copyFile(renewed.certificateFile, files.certificateFile);
    await copyFile(renewed.keyFile, files.keyFile);
    expect(await server.contexts.reload()).toEqual({ ok: true, changed: true });
    expect(await open.request()).toMatchObject({ status: 200, serverFingerprint: identity.fingerprint });
    const fresh = await call({ port: server.port, identity: clients.x26 });
    expect(fresh).toMatchObject({ status: 200, serverFingerprint: renewed.fingerprint });
    expect(server.contexts.certificateDaysLeft()).toBeCloseTo(30, 1);
  });

  it('changes nothing while certificate and key do not belong together, and heals by itself', async () => {
    await using server = await startGuardedServer({ tls: files });
    await copyFile(renewed.certificateFile, files.certificateFile);
    expect(await server.contexts.reload()).toMatchObject({ ok: false, fault: { kind: 'key-mismatch' } });
    expect(await call({ port: server.port, identity: clients.x26 })).toMatchObject({
      serverFingerprint: identity.fingerprint,
    });
    await copyFile(renewed.keyFile, files.keyFile);
    expect(await server.contexts.reload()).toEqual({ ok: true, changed: true });
    expect(await call({ port: server.port, identity: clients.x26 })).toMatchObject({
      serverFingerprint: renewed.fingerprint,
    });
  });

  it.each([
    ['a missing file', 'unreadable', () => rm(files.certificateFile)],
    ['a certificate cut short', 'malformed', () => writeFile(files.certificateFile, identity.cert.slice(0, 200))],
    ['a key that is not one', 'malformed', () => writeFile(files.keyFile, 'not a key')],
    ['a leaf among the authorities', 'malformed', () => copyFile(clients.x26.certificateFile, files.caFile)],
    [
      'an expired certificate',
      'expired',
      async () => {
        await copyFile(clients.expired.certificateFile, files.certificateFile);
        await copyFile(clients.expired.keyFile, files.keyFile);
      },
    ],
  ] as const)('keeps serving with what it has after %s', async (_what, kind, spoil) => {
    await using server = await startGuardedServer({ tls: files });
    await spoil();
    const outcome = await server.contexts.reload();
    expect(outcome).toMatchObject({ ok: false, fault: { kind } });
    expect(outcome.ok ? undefined : outcome.fault).toBeInstanceOf(TlsFault);
    expect(await call({ port: server.port, identity: clients.x26 })).toMatchObject({ status: 200 });
  });

  it('never lets a fault say what a key file holds', async () => {
    await writeFile(files.keyFile, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n');
    const fault = await createTlsContexts({ mode: 'server', ...files }, { machineClock: Date.now }).catch(
      (error: unknown) => error,
    );
    expect(fault).toBeInstanceOf(TlsFault);
    expect(JSON.stringify(fault) + String((fault as Error).stack)).not.toMatch(/c2VjcmV0|secret/);
    expect((fault as Error).cause).toBeUndefined();
  });

  it('happens by itself when files change, also through the swapped link of a mounted secret', async () => {
    const outcomes: ReloadOutcome[] = [];
    let told: (() => void) | undefined;
    const [one, two, link] = ['one', 'two', 'current'].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(one);
    await mkdir(two);
    await copyFile(identity.certificateFile, join(one, 'tls.pem'));
    await copyFile(identity.keyFile, join(one, 'key.pem'));
    await copyFile(renewed.certificateFile, join(two, 'tls.pem'));
    await copyFile(renewed.keyFile, join(two, 'key.pem'));
    await symlink(one, link);
    await using server = await startGuardedServer({
      tls: { certificateFile: join(link, 'tls.pem'), keyFile: join(link, 'key.pem') },
      options: {
        pollIntervalMs: 5,
        onReload: (outcome) => {
          outcomes.push(outcome);
          told?.();
        },
      },
    });
    const reloaded = new Promise<void>((resolve) => {
      told = resolve;
    });
    server.contexts.watch();
    await symlink(two, `${link}.next`);
    await rename(`${link}.next`, link);
    await reloaded;
    expect(outcomes).toEqual([{ ok: true, changed: true }]);
    expect(await call({ port: server.port, identity: clients.x26 })).toMatchObject({
      serverFingerprint: renewed.fingerprint,
    });
  });

  it('tells of a lasting fault once', async () => {
    const outcomes: ReloadOutcome[] = [];
    await using server = await startGuardedServer({
      tls: files,
      options: { onReload: (outcome) => outcomes.push(outcome) },
    });
    await rm(files.keyFile);
    for (let times = 0; times < 3; times++) await server.contexts.reload();
    await copyFile(identity.keyFile, files.keyFile);
    for (let times = 0; times < 3; times++) await server.contexts.reload();
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true]);
  });

  it('does not look at the files of unchanged stamp again', async () => {
    await using server = await startGuardedServer({ tls: files });
    expect(await server.contexts.reload()).toEqual({ ok: true, changed: false });
  });
});

describe('a revocation list', () => {
  it('that comes in refuses new handshakes, resumed sessions and open connections', async () => {
    const crlFile = join(folder.path, 'crl.pem');
    const empty = await emptyRevocationList();
    await writeFile(crlFile, empty);
    await using server = await startGuardedServer({ tls: { ...files, crlFile } });
    const target = { port: server.port, identity: clients.revoked };
    using open = await openCaller(target);
    const before = await open.request();
    expect(before).toMatchObject({ status: 200 });
    await copyFile(revocationListFile, crlFile);
    await server.contexts.reload();
    expect(await call(target)).toHaveProperty('error');
    expect(await call({ ...target, session: sessionOf(before) })).toHaveProperty('error');
    expect(await open.request()).toMatchObject({ status: 403, finding: { reason: 'revoked' } });
    expect(server.connections?.destroyRevoked(server.isRevoked)).toBe(1);
    expect(await call({ port: server.port, identity: clients.x26 })).toMatchObject({ status: 200 });
  });

  it('past its next update is refused at start, since it would lock every caller out', async () => {
    const late = { machineClock: () => Date.now() + 400 * dayMs };
    const settings = { mode: 'mutual', ...files, crlFile: revocationListFile, missingClientCertificate: 'tls-alert' };
    // The server certificate ends with the list, so it is given a longer one.
    const longer = await issueTestCertificate('long-server', {
      commonName: 'localhost',
      names: ['localhost'],
      validity: { notBeforeMs: now - dayMs, notAfterMs: now + 1000 * dayMs },
      uses: ['serverAuth'],
    });
    const { certificateFile, keyFile } = longer;
    const opening = createTlsContexts({ ...settings, certificateFile, keyFile } as never, late);
    await expect(opening).rejects.toMatchObject({ kind: 'revocation-list-expired' });
  });
});

describe('an authority that is taken away', () => {
  it('takes the open connections of its certificates with it, and those of no other', async () => {
    const another = await otherAuthority();
    await writeFile(files.caFile, `${await readFile(authorityFile, 'utf8')}\n${another}`);
    await using server = await startGuardedServer({ tls: files });
    using open = await openCaller({ port: server.port, identity: clients.x26 });
    expect(await open.request()).toMatchObject({ status: 200 });
    await copyFile(authorityFile, files.caFile);
    await server.contexts.reload();
    expect(server.connections?.destroyUnissued(server.contexts.authorities)).toBe(0);
    expect(await open.request()).toMatchObject({ status: 200 });
    await writeFile(files.caFile, another);
    await server.contexts.reload();
    expect(server.connections?.destroyUnissued(server.contexts.authorities)).toBe(1);
  });
});

describe('session tickets', () => {
  it('made by one node are resumed by another that shares the key file and the authorities', async () => {
    const ticketKeyFile = join(folder.path, 'ticket-key');
    await writeFile(ticketKeyFile, 'ab'.repeat(48));
    await using one = await startGuardedServer({ tls: { ...files, ticketKeyFile } });
    await using two = await startGuardedServer({ tls: { ...files, ticketKeyFile } });
    await using stranger = await startGuardedServer({ tls: files });
    const session = sessionOf(await call({ port: one.port, identity: clients.x26 }));
    expect(session).toBeDefined();
    expect(await call({ port: two.port, identity: clients.x26, session })).toMatchObject({
      finding: { resumed: true },
    });
    expect(await call({ port: stranger.port, identity: clients.x26, session })).toMatchObject({
      status: 200,
      finding: { resumed: false },
    });
  });

  it('stop working when their time is up, and callers then do a full handshake', async () => {
    let nowMs = Math.floor(now / hourMs) * hourMs;
    await using server = await startGuardedServer({
      matchMode: 'off',
      options: { machineClock: () => nowMs, ticketRotationMs: hourMs },
    });
    const session = sessionOf(await call({ port: server.port, identity: clients.x26 }));
    await server.contexts.reload();
    expect(await call({ port: server.port, identity: clients.x26, session })).toMatchObject({
      finding: { resumed: true },
    });
    nowMs += hourMs;
    await server.contexts.reload();
    expect(await call({ port: server.port, identity: clients.x26, session })).toMatchObject({
      finding: { resumed: false },
    });
  });

  it('do not carry a caller past the removal of its authority', async () => {
    await using server = await startGuardedServer({ tls: files });
    const session = sessionOf(await call({ port: server.port, identity: clients.x26 }));
    const other = await otherAuthority();
    await writeFile(files.caFile, other);
    expect(await server.contexts.reload()).toEqual({ ok: true, changed: true });
    expect(await call({ port: server.port, identity: clients.x26, session })).toHaveProperty('error');
  });
});
