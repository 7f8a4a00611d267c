import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandWith } from '../../kit/client-command.ts';
import { ClientFolder } from '../../kit/client-folder.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

let home: TemporaryFolder;
let folder: ClientFolder;
let env: Record<string, string>;

/** A systemctl that writes down what it is asked for. */
beforeEach(async () => {
  home = await temporaryFolder('service');
  folder = new ClientFolder(home.path, { url: 'https://localhost:1', mailboxes: ['X26ABC1'] });
  mkdirSync(join(home.path, 'bin'));
  const systemctl = join(home.path, 'bin/systemctl');
  writeFileSync(systemctl, `#!/bin/sh\necho "$@" >> '${join(home.path, 'asked')}'\n`);
  chmodSync(systemctl, 0o755);
  env = { PATH: `${join(home.path, 'bin')}:${process.env['PATH']}` };
});
afterEach(() => home.remove());

const asked = (): string =>
  existsSync(join(home.path, 'asked')) ? readFileSync(join(home.path, 'asked'), 'utf8') : '';
const unit = (): string => join(home.path, 'openmesh-client.service');
const service = (...args: readonly string[]) => runCommandWith({ env }, 'service', ...args, '--unit-folder', home.path);

describe('openmesh-client service', () => {
  it('writes a unit for this program and configuration, starts it, and takes both away again', async () => {
    const { username } = userInfo();
    const keyFile = join(home.path, 'shared-key');
    const done = await service('install', folder.configFile, '--user', username, '--shared-key-file', keyFile);
    expect(done).toMatchObject({ status: 0 });
    const text = readFileSync(unit(), 'utf8');
    expect(text).toMatch(new RegExp(`^ExecStart=.*main\\.ts run ${folder.configFile} --quiet$`, 'm'));
    expect(text).toContain(`LoadCredential=openmesh-shared-key:${keyFile}\n`);
    expect(text).toContain(`User=${username}\n`);
    expect(asked()).toBe('daemon-reload\nenable --now openmesh-client\n');
    expect(await service('remove')).toMatchObject({ status: 0 });
    expect(existsSync(unit())).toBe(false);
    expect(asked()).toMatch(/disable --now openmesh-client\ndaemon-reload\n$/);
    expect(await service('remove')).toMatchObject({ status: 5 });
  });

  it('changes nothing for a configuration that is not good, an account that is not there, or when it shall print', async () => {
    expect(await service('install', folder.configFile, '--user', 'nobody-of-this-name')).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('useradd'),
    });
    const printed = await service('install', folder.configFile, '--print');
    expect(printed.stdout).toContain('[Service]');
    writeFileSync(folder.configFile, '<MESHConfig><PollPeriod>often</PollPeriod></MESHConfig>');
    expect(await service('install', folder.configFile)).toMatchObject({ status: 1 });
    expect(await service('start')).toMatchObject({ status: 64 });
    expect([existsSync(unit()), asked()]).toEqual([false, '']);
  });
});
