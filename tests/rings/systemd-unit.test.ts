import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { NotifyListener } from '../kit/notify-listener.ts';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const unitFile = join(repository, 'deploy/systemd/openmesh-exchange.service');
const launcher = join(repository, 'packages/exchange/bin/openmesh-exchange.js');
const installed = readFileSync(unitFile, 'utf8');
let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-unit-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The unit with the places of this checkout, and the account that runs the test. */
function unitHere(): string {
  const unit = join(home, 'openmesh-exchange.service');
  const placed = installed
    .replace(
      '/usr/bin/node /opt/openmesh/packages/exchange/bin/openmesh-exchange.js',
      `${process.execPath} ${launcher}`,
    )
    .replace(/^User=.*$/m, 'User=root');
  writeFileSync(unit, placed);
  return unit;
}

describe('the unit of the exchange', () => {
  it('is one that systemd accepts', () => {
    execFileSync('systemd-analyze', ['verify', '--man=no', unitHere()], { stdio: 'pipe' });
  });

  it('leaves the service little that it does not need', () => {
    const args = ['security', '--offline=true', '--no-pager', '--threshold=40', unitHere()];
    expect(execFileSync('systemd-analyze', args, { encoding: 'utf8' })).toContain('Overall exposure level');
  });

  it('starts and stops as a service manager expects: ready when it can be asked, stopping when it is told to end', async () => {
    const folder = new ExchangeFolder(join(home, 'exchange'));
    folder.addMailboxes(['ALICE']);
    const told = await NotifyListener.start(home);
    const [, ...command] = /^ExecStart=(.*)$/m.exec(installed)?.[1]?.split(' ') ?? [];
    const args = command.map((word) => (word.startsWith('/opt/') ? launcher : word));
    const env = { PATH: '/usr/bin:/bin', ...folder.env, NOTIFY_SOCKET: told.socket };
    const running = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    let said = '';
    running.stderr.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
    });
    const exited = once(running, 'exit') as Promise<[number | null]>;
    await told.until('READY=1');
    // What it prints comes another way than what it tells the service manager, and may come later.
    await expect.poll(() => said).toMatch(/operators=\S+\n/);
    const operators = /operators=(\S+)/.exec(said)?.[1] ?? '';
    expect((await fetch(`${operators}/ready`)).status).toBe(200);
    running.kill('SIGTERM');
    await told.until('STOPPING=1');
    expect((await exited)[0]).toBe(0);
    await told.stop();
  });
});
