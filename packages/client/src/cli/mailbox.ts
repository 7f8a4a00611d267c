import { chmodSync, existsSync, readFileSync, realpathSync, renameSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { parseMailboxId } from '@openmesh/protocol';
import { journalFileIn } from '../compose.ts';
import { buildConfig } from '../config/build-config.ts';
import type { ClientConfig } from '../config/config.ts';
import { withMailbox, withoutMailbox } from '../config/edit-mailboxes.ts';
import { parseConfigFile, readConfigFile } from '../config/load-config.ts';
import type { RawConfig } from '../config/raw-settings.ts';
import { syncFolder, writeFlushed } from '../folders/durable.ts';
import { openMailboxTree } from '../folders/mailbox-tree.ts';
import { openJournalToRead } from '../journal/sqlite-journal.ts';
import { type Command, type CommandIo, CommandRefusal, type ExitCode, exitCodes, type Request } from './command.ts';
import { findConfigFile } from './find-config.ts';

/** The mailboxes of a configuration file of either format; everything else in the file stays as it is. */
export const mailboxCommand: Command = {
  name: 'mailbox',
  usage: 'add ID --root FOLDER --password-file FILE [CONFIG] | list [CONFIG] | remove ID [CONFIG]',
  summary: 'add, list or remove mailboxes of the configuration',
  about:
    'add writes a mailbox into the configuration, which will read its password from FILE, and makes its folders. remove takes it\nout again, and touches no folder; it refuses while a pair of the mailbox is under way. A running client works on as\nbefore: restart it.',
  positionals: [1, 3],
  options: { root: 'folder of the mailbox', 'password-file': 'a file that holds its password alone' },
  values: { root: 'FOLDER', 'password-file': 'FILE' },
  async run(request, io) {
    const [action, ...rest] = request.positionals;
    switch (action) {
      case 'list':
        return list(request, rest[0], io);
      case 'add':
        return await add(request, readId(rest[0]), rest[1], io);
      case 'remove':
        return await remove(request, readId(rest[0]), rest[1], io);
      default:
        throw new CommandRefusal(exitCodes.usage, 'say add, list or remove');
    }
  },
};

function readId(text: string | undefined): string {
  const id = parseMailboxId(text ?? '');
  if (id === undefined) throw new CommandRefusal(exitCodes.usage, 'name a mailbox id');
  return id;
}

interface Opened {
  readonly file: string;
  readonly raw: RawConfig;
  readonly config: ClientConfig;
}

function open(argument: string | undefined, io: CommandIo): Opened {
  // A link to the configuration is followed, so that the file it leads to is replaced and not the link.
  const named = findConfigFile(argument);
  const file = existsSync(named) ? realpathSync(named) : named;
  const raw = readConfigFile(file);
  return { file, raw, config: buildConfig(raw, io.env) };
}

function list({ json }: Request, argument: string | undefined, io: CommandIo): ExitCode {
  const found = open(argument, io).config.mailboxes.map(({ id, root }) => ({ id, root, isThere: existsSync(root) }));
  if (json) io.stdout(`${JSON.stringify(found, undefined, 2)}\n`);
  else for (const { id, root, isThere } of found) io.stdout(`${id}  ${root}${isThere ? '' : '  (does not exist)'}\n`);
  return exitCodes.ok;
}

async function add(
  { options, json }: Request,
  id: string,
  argument: string | undefined,
  io: CommandIo,
): Promise<ExitCode> {
  const { root, 'password-file': passwordFile } = options;
  if (root === undefined || passwordFile === undefined)
    throw new CommandRefusal(exitCodes.usage, 'add needs --root and --password-file');
  const { file, raw, config } = openToAdd(argument, id, io);
  const written = { id, password: `\${file:${fromFolder(file, passwordFile)}}`, root: fromFolder(file, root) };
  const names = config?.mailboxes[0]?.folders;
  await replace(file, withMailbox(raw, readFileSync(file), written), io);
  const fresh = buildConfig(readConfigFile(file), io.env).mailboxes.find((mailbox) => mailbox.id === id);
  if (fresh !== undefined) await openMailboxTree(fresh.root, names ?? fresh.folders, true);
  io.stdout(
    json ? `${JSON.stringify({ added: id, file })}\n` : `added ${id} to ${file}; check it with "check", then restart\n`,
  );
  return exitCodes.ok;
}

/** A configuration that lacks nothing but mailboxes is good enough to add one to. */
function openToAdd(argument: string | undefined, id: string, io: CommandIo) {
  const file = realpathSync(findConfigFile(argument));
  const raw = readConfigFile(file);
  const config = raw.mailboxes.length === 0 ? undefined : buildConfig(raw, io.env);
  if (config?.mailboxes.some((mailbox) => mailbox.id === id) === true)
    throw new CommandRefusal(exitCodes.no, `the configuration has mailbox ${id} already`);
  return { file, raw, config };
}

async function remove({ json }: Request, id: string, argument: string | undefined, io: CommandIo): Promise<ExitCode> {
  const { file, raw, config } = open(argument, io);
  if (!config.mailboxes.some((mailbox) => mailbox.id === id))
    throw new CommandRefusal(exitCodes.no, `the configuration has no mailbox ${id}`);
  if (config.mailboxes.length === 1)
    throw new CommandRefusal(exitCodes.no, 'it is the only mailbox, and a configuration needs one');
  const busy = underWay(config.workPath, id);
  if (busy > 0) {
    const text = `${busy} of its pairs or messages are under way: run "once" first, or "retry" what is held`;
    throw new CommandRefusal(exitCodes.no, text);
  }
  await replace(file, withoutMailbox(raw, readFileSync(file), id), io);
  io.stdout(
    json ? `${JSON.stringify({ removed: id, file })}\n` : `removed ${id} from ${file}; its folders are as they were\n`,
  );
  return exitCodes.ok;
}

function underWay(workPath: string, id: string): number {
  if (!existsSync(journalFileIn(workPath))) return 0;
  using journal = openJournalToRead(journalFileIn(workPath));
  return journal.open(id).length + journal.unacknowledged(id).length;
}

/** A path as the configuration should hold it: relative where it lies below the folder of the file. */
function fromFolder(file: string, path: string): string {
  const below = relative(dirname(file), resolve(path));
  return below === '' || below.startsWith('..') || isAbsolute(below) ? resolve(path) : below;
}

/** Whole or not at all, under the same permissions, and only what can be read again without a fault. */
async function replace(file: string, text: string, io: CommandIo): Promise<void> {
  const bytes = Buffer.from(text);
  buildConfig(parseConfigFile(file, bytes), io.env);
  const aside = join(dirname(file), `.${Date.now()}.openmesh-client.tmp`);
  await writeFlushed(aside, bytes, 0o600);
  chmodSync(aside, statSync(file).mode);
  renameSync(aside, file);
  await syncFolder(dirname(file));
}
