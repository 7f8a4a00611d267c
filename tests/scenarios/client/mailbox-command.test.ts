import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../kit/client-command.ts';
import { ClientFolder } from '../../kit/client-folder.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
let home: TemporaryFolder;
let folder: ClientFolder;
let passwordFile: string;

beforeEach(async () => {
  home = await temporaryFolder('client');
  folder = new ClientFolder(home.path, { url: 'https://localhost:1', mailboxes: [a] });
  passwordFile = join(home.path, 'password-of-b');
  writeFileSync(passwordFile, 'PASSWORDOFB\n');
});
afterEach(() => home.remove());

const add = (file: string, id: string = b) =>
  runCommand('mailbox', 'add', id, file, '--root', join(home.path, id), '--password-file', passwordFile);

describe('openmesh-client mailbox', () => {
  it('adds a mailbox to a meshclient.cfg, with its folders, and removes it so that the file is as it was', async () => {
    const commented = readFileSync(folder.configFile, 'utf8').replace('<Client>', '<!-- the first -->\n<Client>');
    writeFileSync(folder.configFile, commented, { mode: 0o640 });
    expect(await add(folder.configFile)).toMatchObject({ status: 0 });
    expect(existsSync(folder.path(b, 'OUT'))).toBe(true);
    const listed = await runCommand('mailbox', 'list', folder.configFile, '--json');
    expect(JSON.parse(listed.stdout)).toEqual([
      { id: a, root: join(home.path, a), isThere: true },
      { id: b, root: join(home.path, b), isThere: true },
    ]);
    const text = readFileSync(folder.configFile, 'utf8');
    expect(text).toContain('<ClientAuthentication>${file:password-of-b}</ClientAuthentication>');
    expect(text + listed.stdout).not.toContain('PASSWORDOFB');
    expect(await runCommand('mailbox', 'remove', b.toLowerCase(), folder.configFile)).toMatchObject({ status: 0 });
    expect(readFileSync(folder.configFile, 'utf8')).toBe(commented);
    expect(existsSync(folder.path(b, 'OUT'))).toBe(true);
  });

  it('keeps the permissions of the file, and leaves nothing beside it', async () => {
    const { mode } = statSync(folder.configFile);
    await add(folder.configFile);
    expect(statSync(folder.configFile).mode).toBe(mode);
    expect(readdirSync(home.path).sort()).toEqual([a, b, 'meshclient.cfg', 'password-of-b'].sort());
  });

  it('does the same to our own format, comments and all', async () => {
    const file = join(home.path, 'openmesh-client.yaml');
    const lines = ['# ours', 'url: https://localhost:1', 'mailboxes:', `  - id: ${a} # first`];
    const rest = [`    password: '010'`, `    root: ${a}`, ''];
    writeFileSync(file, [...lines, ...rest].join('\n'));
    const before = readFileSync(file, 'utf8');
    expect(await add(file)).toMatchObject({ status: 0 });
    expect(readFileSync(file, 'utf8')).toContain('# first');
    const listed = await runCommand('mailbox', 'list', file);
    expect(listed.stdout).toBe(`${a}  ${join(home.path, a)}\n${b}  ${join(home.path, b)}\n`);
    expect(await runCommand('mailbox', 'remove', b, file)).toMatchObject({ status: 0 });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('changes nothing for a mailbox that is there already, is not there, or is the only one, and says which', async () => {
    const before = readFileSync(folder.configFile, 'utf8');
    expect(await add(folder.configFile, a)).toMatchObject({ status: 5, stderr: expect.stringContaining('already') });
    expect(await runCommand('mailbox', 'remove', b, folder.configFile)).toMatchObject({ status: 5 });
    expect(await runCommand('mailbox', 'remove', a, folder.configFile)).toMatchObject({ status: 5 });
    expect(await runCommand('mailbox', 'add', 'not an id', folder.configFile)).toMatchObject({ status: 64 });
    expect(await runCommand('mailbox', 'rename', a)).toMatchObject({ status: 64 });
    expect(readFileSync(folder.configFile, 'utf8')).toBe(before);
  });

  it('writes nothing that could not be read again: a password file that is missing', async () => {
    const before = readFileSync(folder.configFile, 'utf8');
    passwordFile = join(home.path, 'nowhere');
    const { status, stderr } = await add(folder.configFile);
    expect(status).toBe(1);
    expect(stderr).toContain('cannot be read (ENOENT)');
    expect(readFileSync(folder.configFile, 'utf8')).toBe(before);
  });
});
