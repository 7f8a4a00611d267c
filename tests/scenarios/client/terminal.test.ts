import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../kit/client-command.ts';
import { ClientFolder } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { freePort } from '../../kit/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

let home: TemporaryFolder;
beforeEach(async () => {
  home = await temporaryFolder('client');
});
afterEach(() => home.remove());

/** Every control character but the line's end, and what turns the order of text. */
const commanding = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;
/** Names that an application may give its files: one that clears a screen, in both spellings, and one that writes a line of ours. */
const names = ['\u001b[2J\u009b2J\u0007', 'x\npair 9 of X26ABC1: held, y', '\u202etad.exe'];

describe.runIf(process.platform === 'linux')('what the commands print of the names of files', () => {
  it.each(names)('never commands the terminal of who looks, nor takes a second line: %j', async (name) => {
    const url = `https://127.0.0.1:${await freePort()}`;
    const folder = new ClientFolder(home.path, { url, mailboxes: ['X26ABC1'], settings: { ServerRetry: '1' } });
    folder.drop('X26ABC1', name, 'body', { To_DTS: 'X26ABC2' });
    await clientRound(folder);
    const shown = await runCommand('status', folder.configFile);
    expect(shown.stdout).not.toMatch(commanding);
    expect(shown.stdout.match(/^pair /gm)).toHaveLength(1);
    const json = await runCommand('status', folder.configFile, '--json');
    expect(json.stdout).not.toMatch(commanding);
    expect(JSON.parse(json.stdout)).toMatchObject({ open: [{ base: name }] });
  });
});
