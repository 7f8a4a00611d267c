import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAdminCommands } from './admin-commands.ts';
import { checkConfig } from './check-config.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';
import { devCa } from './dev-ca.ts';
import { dispatch } from './dispatch.ts';

const page = readFileSync(new URL('../../../../docs/operate/command-line.md', import.meta.url), 'utf8');
const opened = (): Promise<never> => Promise.reject(new Error('help needs no ledger'));
const admin = createAdminCommands(opened);
const commands = [checkConfig, ...admin, devCa];

/** Every command that does something, with the words that call it. */
function leaves(list: readonly Command[], before: readonly string[] = []): [readonly string[], Command][] {
  return list.flatMap((command) => {
    const path = [...before, command.name];
    const inner = (command as { commands?: readonly Command[] }).commands;
    return inner === undefined ? [[path, command] as [readonly string[], Command]] : leaves(inner, path);
  });
}

async function run(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io: CommandIo = { stdout: (text) => out.push(text), stderr: (text) => err.push(text), env: {} };
  return { status: await dispatch(commands, args, io, '1.2.3'), out: out.join(''), err: err.join('') };
}

describe('the page about the command line', () => {
  it('holds the help of every registry and message command word for word', async () => {
    for (const [path] of leaves(admin)) {
      const { status, out } = await run(...path, '--help');
      expect(status).toBe(exitCodes.ok);
      expect(page).toContain(`### ${path.join(' ')}\n\n\`\`\`text\n${out}\`\`\`\n`);
    }
  });

  it('speaks of no command that is not there', () => {
    const headings = [...page.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(leaves(admin).map(([path]) => path.join(' ')));
  });

  it('names the other commands and every exit code', () => {
    for (const name of ['serve', 'check-config', 'dev-ca']) expect(page).toContain(`\`${name}\``);
    for (const [name, code] of Object.entries(exitCodes))
      expect(page, name).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});

describe('the admin command', () => {
  it('lists its commands with --help and says its version, without opening anything', async () => {
    const { status, out } = await run('--help');
    expect(status).toBe(exitCodes.ok);
    for (const { name, summary } of commands) expect(out).toContain(`${name.padEnd(13)}  ${summary}`);
    expect(await run('--version')).toMatchObject({ status: 0, out: 'openmesh-exchange 1.2.3\n' });
  });

  it('answers 64 with what there is for a command, an option or an argument that is wrong', async () => {
    expect((await run()).status).toBe(exitCodes.usage);
    expect((await run('nope')).err).toContain('no such command\nusage:');
    expect((await run('mailbox', 'nope')).err).toContain('rotate-password');
    expect(await run('mailbox', 'show')).toMatchObject({
      status: exitCodes.usage,
      err: 'mailbox show: MAILBOX missing; see "openmesh-exchange mailbox show --help"\n',
    });
    expect((await run('mailbox', 'list', '--colour')).status).toBe(exitCodes.usage);
    expect((await run('audit', 'list', 'more')).status).toBe(exitCodes.usage);
  });

  it('answers 78 with every problem when the settings are not good', async () => {
    const { status, err } = await run('mailbox', 'list');
    expect(status).toBe(exitCodes.config);
    expect(err).toContain('OPENMESH_SHARED_KEY');
  });
});
