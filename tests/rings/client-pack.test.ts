import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientFolder } from '../kit/client-folder.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { NotifyListener } from '../kit/notify-listener.ts';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [a, b] = ['PACKA', 'PACKB'] as const;
let home: string;
let exchange: ExchangeProcess;
let folder: ClientFolder;
let prefix: string;
let packed: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-pack-'));
  prefix = join(home, 'installed');
  execFileSync(process.execPath, [join(repository, 'scripts/build-client-pack.js'), join(home, 'packs')], {
    stdio: 'pipe',
  });
  const archive = readdirSync(join(home, 'packs')).find((name) => name.endsWith('.tar.gz')) ?? '';
  execFileSync('tar', ['xzf', join(home, 'packs', archive), '-C', home]);
  packed = join(home, archive.replace(/\.tar\.gz$/, ''));
  const exchangeFolder = new ExchangeFolder(join(home, 'exchange'));
  exchangeFolder.addMailboxes([a, b]);
  exchange = await ExchangeProcess.start({ env: exchangeFolder.env });
  folder = new ClientFolder(join(home, 'client'), { url: exchange.url, mailboxes: [a, b], password: 'kit-password' });
}, 300_000);
afterAll(async () => {
  await exchange.kill9();
  rmSync(home, { recursive: true, force: true });
});

const client = (...args: readonly string[]): string =>
  execFileSync(join(prefix, 'openmesh-client'), args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });

describe('the offline installation pack', () => {
  it('installs on a machine without a network, and without a Node of its own', () => {
    const install = [join(packed, 'install.sh'), '--prefix', prefix, '--no-service'];
    const said = execFileSync('unshare', ['-n', ...install], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
    expect(said).toContain('openmesh-client 0.1.0');
    expect(client('--version')).toBe('openmesh-client 0.1.0\n');
  });

  it('refuses to install when a file of it was changed', () => {
    const guide = join(packed, 'GUIDE.md');
    const before = readFileSync(guide);
    writeFileSync(guide, 'changed');
    expect(() =>
      execFileSync(join(packed, 'install.sh'), ['--prefix', join(home, 'bad'), '--no-service'], { stdio: 'pipe' }),
    ).toThrow(/damaged/);
    expect(existsSync(join(home, 'bad'))).toBe(false);
    writeFileSync(guide, before);
  });

  it('sends and receives', () => {
    folder.drop(a, 'PACKED', 'bytes', { To_DTS: b });
    client('once', folder.configFile);
    expect(folder.list(a, 'SENT')).toEqual(['PACKED.ctl', 'PACKED.dat']);
    client('once', folder.configFile);
    expect(folder.list(b, 'IN')).toHaveLength(2);
  });

  it('has a unit that systemd accepts, and that starts and stops as a service manager expects', async () => {
    const unit = join(home, 'openmesh-client.service');
    const installed = readFileSync(join(prefix, 'service/openmesh-client.service'), 'utf8');
    writeFileSync(unit, installed.replace('/opt/openmesh-client/openmesh-client', join(prefix, 'openmesh-client')));
    execFileSync('systemd-analyze', ['verify', '--man=no', unit], { stdio: 'pipe' });
    const told = await NotifyListener.start(home);
    const command = /^ExecStart=\S+ (.*)$/m.exec(installed)?.[1]?.split(' ') ?? [];
    const args = command.map((word) => (word.startsWith('/etc/') ? folder.configFile : word));
    const running = spawn(join(prefix, 'openmesh-client'), args, {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: told.socket },
    });
    const exited = once(running, 'exit') as Promise<[number | null]>;
    await told.until('READY=1');
    running.kill('SIGTERM');
    await told.until('STOPPING=1');
    const [code] = await exited;
    expect(code).toBe(0);
    await told.stop();
  });

  it('gives the folders back to the Java client: nothing of ours is left, and the configuration is as it was', () => {
    const before = readFileSync(folder.configFile, 'utf8');
    client('leave', folder.configFile);
    for (const mailbox of [a, b]) expect(readdirSync(folder.path(mailbox, 'TEMP'))).toEqual([]);
    expect(readFileSync(folder.configFile, 'utf8')).toBe(before);
    execFileSync(join(prefix, 'uninstall.sh'), ['--prefix', prefix], { stdio: 'pipe' });
    expect(existsSync(prefix)).toBe(false);
    expect(folder.list(a, 'SENT')).toEqual(['PACKED.ctl', 'PACKED.dat']);
  });

  it('for Windows is an archive that is whole, with the runtime and both service definitions inside', () => {
    const archive = readdirSync(join(home, 'packs')).find((name) => name.endsWith('.zip')) ?? '';
    const listed = execFileSync('unzip', ['-l', join(home, 'packs', archive)], { encoding: 'utf8' });
    for (const name of [
      'runtime/node.exe',
      'openmesh-client.cmd',
      'openmesh-client.task.xml',
      'openmesh-client.winsw.xml',
      'GUIDE.md',
      'SHA256SUMS',
    ]) {
      expect(listed).toContain(name);
    }
    execFileSync('unzip', ['-tq', join(home, 'packs', archive)], { stdio: 'pipe' });
  });
});
