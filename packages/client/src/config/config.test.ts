import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildConfig } from './build-config.ts';
import { toMeshclientCfg, toOwnFormat } from './convert.ts';
import { ConfigFault } from './raw-settings.ts';
import { readMeshclientCfg } from './read-meshclient-cfg.ts';
import { readOwnFormat } from './read-own-format.ts';

/** As an installer leaves it, with a second mailbox added by hand. */
const real = `<?xml version="1.0"?>
<MESHConfig>
    <PrimaryURL>https://mesh-sync.spineservices.nhs.uk/messageexchange</PrimaryURL>
    <LogPath>log</LogPath>
    <KeyStorePath>KEYSTORE/mesh.keystore</KeyStorePath>
    <KeyStorePassword>changeme</KeyStorePassword>
    <WorkPath>working</WorkPath>
    <ProxyPath>proxy</ProxyPath>
    <SignalPath>sig</SignalPath>
    <PollPeriod>30</PollPeriod>
    <ServerRetry>3</ServerRetry>
    <MaxMessages>100</MaxMessages>
    <MaxConnections>4</MaxConnections>
    <AutoUpgrade>N</AutoUpgrade>
    <Client>
        <ClientIdentity>x26ab001</ClientIdentity>
        <ClientAuthentication>mailbox &amp; password</ClientAuthentication>
        <MailboxType>MESH</MailboxType>
        <InterfaceRoot>data/X26AB001</InterfaceRoot>
        <CollectReport>Y</CollectReport>
        <TransferReport>N</TransferReport>
        <PollReport>N</PollReport>
        <SaveSent>Y</SaveSent>
    </Client>
    <Client>
        <ClientIdentity>X26AB002</ClientIdentity>
        <ClientAuthentication>another</ClientAuthentication>
        <InterfaceRoot>/data/X26AB002</InterfaceRoot>
        <SaveSent>false</SaveSent>
    </Client>
</MESHConfig>
`;
const readCfg = (text: string, env = {}) =>
  buildConfig(readMeshclientCfg('/srv/app/meshclient.cfg', Buffer.from(text)), env, 'linux');
const readOwn = (text: string, env = {}) =>
  buildConfig(readOwnFormat('/srv/app/client.yaml', Buffer.from(text)), env, 'linux');
const faultOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigFault) return error.message;
    throw error;
  }
  return '';
};

describe('meshclient.cfg', () => {
  it('is read as the installer leaves it, relative to its folder, ids in upper case', () => {
    const config = readCfg(real);
    expect(config).toMatchObject({
      url: 'https://mesh-sync.spineservices.nhs.uk',
      keyStorePath: '/srv/app/KEYSTORE/mesh.keystore',
      pollPeriodMs: 1_800_000,
      processingDelayMs: 5000,
      warnings: [],
      sharedKey: undefined,
    });
    expect(config.mailboxes).toMatchObject([
      {
        id: 'X26AB001',
        password: 'mailbox & password',
        root: '/srv/app/data/X26AB001',
        collectReport: true,
        saveSent: true,
      },
      { id: 'X26AB002', root: '/data/X26AB002', collectReport: true, saveSent: false },
    ]);
  });

  it('keeps a password with a pound sign in a file of either encoding, and warns of the older one', () => {
    const text = real.replace('changeme', 'p£ss');
    const old = buildConfig(readMeshclientCfg('/srv/app/meshclient.cfg', Buffer.from(text, 'latin1')), {}, 'linux');
    expect(old.keyStorePassword).toBe('p£ss');
    expect(old.warnings.map(({ problem }) => problem)).toEqual([expect.stringContaining('windows-1252')]);
    expect(readCfg(`\ufeff${text}`)).toMatchObject({ keyStorePassword: 'p£ss', warnings: [] });
  });

  it('warns of a host that the service is leaving, and names the one on the internet instead', () => {
    const old = real.replace('mesh-sync.spineservices.nhs.uk', 'mesh-sync.national.ncrs.nhs.uk');
    const { warnings } = readCfg(old);
    expect(warnings.map(({ line, setting, problem }) => `${line} ${setting} ${problem}`)).toEqual([
      expect.stringMatching(/^3 PrimaryURL .*HSCN.*https:\/\/mesh-sync\.spineservices\.nhs\.uk/) as unknown,
    ]);
  });

  it('warns of polling the national service more often than it asks for, and takes it', () => {
    const { warnings } = readCfg(real.replace('<PollPeriod>30<', '<PollPeriod>1<'));
    expect(warnings.map(({ setting }) => setting)).toEqual(['PollPeriod']);
  });

  it('ignores an unknown element with one warning that names its line', () => {
    const { warnings } = readCfg(real.replace('<LogPath>', '<Colour>red</Colour>\n    <LogPath>'));
    expect(warnings).toEqual([
      { file: '/srv/app/meshclient.cfg', line: 4, setting: 'Colour', problem: expect.any(String) as unknown },
    ]);
  });

  it.each([
    [
      'a word for a number',
      '<PollPeriod>30<',
      '<PollPeriod>often<',
      'meshclient.cfg:10: PollPeriod must be a whole number',
    ],
    ['a number out of bounds', '<MaxConnections>4<', '<MaxConnections>0<', 'meshclient.cfg:13: MaxConnections must be'],
    ['another answer than Y or N', '<SaveSent>Y<', '<SaveSent>maybe<', 'meshclient.cfg:23: SaveSent must be Y or N'],
    [
      'a path of Windows on another system',
      '>log<',
      '>C:\\MESH\\log<',
      'meshclient.cfg:4: LogPath is a path of Windows',
    ],
    ['a URL that is none', 'https://mesh-sync', 'mesh-sync', 'meshclient.cfg:3: PrimaryURL must be https://'],
    [
      'plain HTTP to another machine',
      'https://mesh-sync.spineservices.nhs.uk/messageexchange',
      'http://mesh.example.org',
      'meshclient.cfg:3: PrimaryURL is http://',
    ],
    ['a tag that is not closed', '</AutoUpgrade>', '', 'meshclient.cfg:'],
    [
      'a setting twice',
      '<AutoUpgrade>N</AutoUpgrade>',
      '<LogPath>x</LogPath>',
      'meshclient.cfg:14: LogPath is there twice',
    ],
    [
      'a mailbox without password',
      '<ClientAuthentication>another</ClientAuthentication>',
      '',
      'meshclient.cfg:25: ClientAuthentication is missing',
    ],
    [
      'two mailboxes in one folder',
      '/data/X26AB002',
      'data/X26AB001',
      'meshclient.cfg:28: InterfaceRoot is that of another mailbox',
    ],
    [
      'the same mailbox twice',
      '>X26AB002<',
      '>X26AB001<',
      'meshclient.cfg:26: ClientIdentity is that of another mailbox',
    ],
  ])('refuses %s, naming setting, file and line', (_what, from, to, message) => {
    expect(real).toContain(from);
    expect(faultOf(() => readCfg(real.replace(from, to)))).toContain(message);
  });

  it('repeats no value in what it says', () => {
    const text = faultOf(() =>
      readCfg(real.replace('<PollPeriod>30<', '<PollPeriod>SECRETIVE<').replace('changeme', 'SECRETIVE\u0001')),
    );
    expect(text).not.toContain('SECRETIVE');
    expect(text.split('\n')).toHaveLength(2);
  });
});

describe('our own format', () => {
  const own = "url: https://localhost:8700\nmailboxes:\n  - id: X26ABC1\n    password: 'a'\n    root: C1\n";

  it('refuses a name that is no setting, and says which was meant', () => {
    expect(faultOf(() => readOwn(`pollPeriod: 5\n${own}`))).toBe(
      '/srv/app/client.yaml:1: pollPeriod is no setting; did you mean pollPeriodMinutes?',
    );
  });

  it('names the line of a value in a mailbox', () => {
    expect(faultOf(() => readOwn(`${own}    saveSent: perhaps\n`))).toBe(
      '/srv/app/client.yaml:6: saveSent must be Y or N',
    );
  });

  it('refuses one folder for two purposes, whatever its case, and one that is none of its own', () => {
    expect(faultOf(() => readOwn(`${own}    inFolder: Mail\n    outFolder: mail\n`))).toContain(
      'a folder has the name of another of this mailbox',
    );
    expect(faultOf(() => readOwn(`${own}    sentFolder: in\n`))).toContain('has the name of another of this mailbox');
    for (const name of ['..', '.', 'a/b'])
      expect(faultOf(() => readOwn(`${own}    tempFolder: '${name}'\n`))).toContain('must be a name, not a path');
  });

  it('says where it is not YAML', () => {
    expect(faultOf(() => readOwn('url: "https'))).toContain('/srv/app/client.yaml:1: the file is not YAML');
    expect(faultOf(() => readOwn('just a sentence'))).toContain('is not a list of settings');
  });

  it('takes secrets from the environment', () => {
    const config = readOwn(own.replace("'a'", "'${env:SECRET_OF_TEST}'"), { SECRET_OF_TEST: 'from outside' });
    expect(config.mailboxes[0]?.password).toBe('from outside');
    expect(faultOf(() => readOwn(own.replace("'a'", "'${env:NOBODY_SET_THIS}'")))).toContain(
      ':4: password names the environment variable',
    );
  });
});

describe('convert', () => {
  it('gives the same configuration in the other format, and back again', () => {
    const raw = readMeshclientCfg('/srv/app/meshclient.cfg', Buffer.from(real));
    const own = readOwnFormat('/srv/app/client.yaml', Buffer.from(toOwnFormat(raw)));
    const back = readMeshclientCfg('/srv/app/meshclient.cfg', Buffer.from(toMeshclientCfg(own)));
    const bare = (config: typeof raw) => ({ ...buildConfig(config, {}, 'linux'), file: '', warnings: [] });
    expect(bare(own)).toEqual(bare(raw));
    expect(bare(back)).toEqual(bare(raw));
  });
});

const withPassword = (password: string): string =>
  real.replace('<ClientAuthentication>another', `<ClientAuthentication>${password}`);

describe('secrets that lie elsewhere', () => {
  it('are taken from what the service manager hands over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'openmesh-credentials-'));
    writeFileSync(join(folder, 'mesh-password'), 'handed over\n');
    try {
      const config = readCfg(withPassword('${credential:mesh-password}'), { CREDENTIALS_DIRECTORY: folder });
      expect(config.mailboxes[1]?.password).toBe('handed over');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['${credential:mesh-password}', {}, 'names a credential, and no service manager hands any over'],
    ['${credential:../../etc/passwd}', { CREDENTIALS_DIRECTORY: '/run' }, 'names a credential in letters'],
    ['${credential:absent}', { CREDENTIALS_DIRECTORY: '/nowhere' }, 'names a file that cannot be read (ENOENT)'],
    ['${dpapi:AAAA}', {}, 'is protected by Windows (DPAPI), and this system is not'],
    ['${env:NOT_SET}', {}, 'names the environment variable NOT_SET, which is not set'],
  ])('%s that cannot be had is named with its setting and line', (password, env, problem) => {
    const fault = faultOf(() => readCfg(withPassword(password), env));
    expect(fault).toMatch(/^\/srv\/app\/meshclient\.cfg:\d+: ClientAuthentication /);
    expect(fault).toContain(problem);
  });
});
