import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDevAuthority } from './dev-ca/authority.ts';
import { devCa } from './dev-ca.ts';

interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'openmesh-dev-ca-'));
  folder = join(parent, 'certificates');
});

afterEach(() => rm(parent, { recursive: true, force: true }));

async function run(...args: string[]): Promise<Printed> {
  let out = '';
  let err = '';
  const io = { stdout: (text: string) => void (out += text), stderr: (text: string) => void (err += text), env: {} };
  const code = await devCa.run(['--folder', folder, ...args], io);
  return { code, out, err };
}

async function read(name: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(join(folder, name)));
}

describe('openmesh-exchange dev-ca', () => {
  it('gives a newcomer an authority, a server, a client and a call to paste, in one go', async () => {
    const { code, out, err } = await run();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`curl --cacert ${folder}/ca.pem --cert ${folder}/client-X26-SERVER001.pem --key`);
    expect((await readdir(folder)).sort()).toEqual([
      'ca-key.pem',
      'ca.pem',
      'client-X26-SERVER001-key.pem',
      'client-X26-SERVER001.pem',
      'server-key.pem',
      'server.pem',
    ]);
    const [authority, server, client] = [
      await read('ca.pem'),
      await read('server.pem'),
      await read('client-X26-SERVER001.pem'),
    ];
    expect(client.subject).toBe('CN=SERVER001.X26.api.mesh-client.nhs.uk');
    expect([server, client].every((issued) => issued.verify(authority.publicKey) && !issued.ca)).toBe(true);
    expect([server.keyUsage, client.keyUsage]).toEqual([['1.3.6.1.5.5.7.3.1'], ['1.3.6.1.5.5.7.3.2']]);
    expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  });

  it('lets nobody but the owner read a key or look into the folder', async () => {
    await run();
    const modes = await Promise.all(
      ['', 'ca-key.pem', 'server-key.pem', 'client-X26-SERVER001-key.pem'].map(async (name) => {
        const { mode } = await stat(join(folder, name));
        return (mode & 0o777).toString(8);
      }),
    );
    expect(modes).toEqual(['700', '600', '600', '600']);
  });

  it('issues more from the authority it finds, and leaves every file as it was', async () => {
    await run();
    const before = await readFile(join(folder, 'server.pem'), 'latin1');
    const { code, out } = await run('--client', 'rr8:gate', '--client', 'A1:B.C', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      authority: { made: false },
      server: { made: false },
      clients: [
        { odsCode: 'RR8', localId: 'GATE', made: true },
        { odsCode: 'A1', localId: 'B.C', made: true },
      ],
    });
    expect(await readFile(join(folder, 'server.pem'), 'latin1')).toBe(before);
    expect((await read('client-RR8-GATE.pem')).verify((await read('ca.pem')).publicKey)).toBe(true);
  });

  it('refuses to overwrite a certificate, making none of the others asked for, until forced', async () => {
    await run('--client', 'X26:ONE');
    const before = await read('client-X26-ONE.pem');
    const refused = await run('--client', 'X26:TWO', '--client', 'X26:ONE');
    expect(refused).toMatchObject({ code: 73, out: '' });
    expect(refused.err).toMatch(/client-X26-ONE\.pem exists already\. Use --force/);
    expect(await readdir(folder)).not.toContain('client-X26-TWO.pem');
    expect((await run('--client', 'X26:ONE', '--force')).code).toBe(0);
    expect((await read('client-X26-ONE.pem')).serialNumber).not.toBe(before.serialNumber);
  });

  it('keeps a server certificate that has the names asked for, and refuses to drop one that has not', async () => {
    expect((await run('--server-name', 'mesh.example.org', '--server-name', '10.1.2.3')).code).toBe(0);
    expect((await run('--server-name', '10.1.2.3')).out).toContain('kept  server');
    const refused = await run('--server-name', 'other.example.org');
    expect(refused.code).toBe(73);
    expect(refused.err).toContain('without the name other.example.org');
  });

  it('never replaces the authority, not even when forced', async () => {
    await run();
    const before = await readFile(join(folder, 'ca.pem'), 'latin1');
    await run('--force');
    expect(await readFile(join(folder, 'ca.pem'), 'latin1')).toBe(before);
  });

  it('makes certificates as long as asked, and never longer than the authority lasts', async () => {
    await run('--days', '10', '--client', 'X26:SHORT');
    await run('--days', '3650', '--client', 'X26:LONG');
    const [authority, short, long] = [
      await read('ca.pem'),
      await read('client-X26-SHORT.pem'),
      await read('client-X26-LONG.pem'),
    ];
    const days = (short.validToDate.getTime() - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(10, 1);
    expect(long.validToDate.getTime()).toBeLessThanOrEqual(authority.validToDate.getTime());
  });

  it.each([
    [64, ['--nonsense']],
    [64, ['stray']],
    [64, ['--client', 'X26']],
    [64, ['--client', 'X26:A:B']],
    [65, ['--client', 'X-26:A']],
    [65, ['--client', 'X26:../../evil']],
    [65, ['--client', `X26:${'A'.repeat(60)}`]],
    [65, ['--server-name', 'not a name']],
    [65, ['--days', '0']],
    [65, ['--days', '1e3']],
  ])('answers %i and touches nothing for %j', async (code, args) => {
    expect(await run(...args)).toMatchObject({ code, out: '' });
    expect(await readdir(parent)).toEqual([]);
  });

  it('answers 78 for a folder whose authority is half there, not ours, or expired', async () => {
    await run();
    const key = await readFile(join(folder, 'ca-key.pem'));
    await rm(join(folder, 'ca-key.pem'));
    expect(await run()).toMatchObject({ code: 78 });
    await writeFile(join(folder, 'ca-key.pem'), await readFile(join(folder, 'server-key.pem')));
    expect(await run()).toMatchObject({ code: 78 });
    await writeFile(join(folder, 'ca-key.pem'), key);
    const elevenYearsOnMs = Date.now() + 11 * 365 * 86_400_000;
    await expect(createDevAuthority({ folder, now: () => elevenYearsOnMs })).rejects.toMatchObject({
      kind: 'unusable',
    });
  });

  it('answers 73 when the folder cannot be made', async () => {
    await writeFile(folder, 'in the way');
    await chmod(folder, 0o600);
    folder = join(folder, 'below');
    expect(await run()).toMatchObject({ code: 73, out: '' });
  });

  it('prints every option and exit code on --help', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const word of [
      '--folder',
      '--client',
      '--server-name',
      '--days',
      '--force',
      '--json',
      '64',
      '65',
      '73',
      '78',
    ]) {
      expect(out).toContain(word);
    }
  });
});
