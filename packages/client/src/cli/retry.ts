import { existsSync, linkSync, readFileSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { journalFileIn } from '../compose.ts';
import { loadConfig } from '../config/load-config.ts';
import type { ControlField } from '../control-file/control-file.ts';
import { readControlFile } from '../control-file/read-control-file.ts';
import { writeControlFile } from '../control-file/write-control-file.ts';
import { codeOf, syncFolder, writeFlushed } from '../folders/durable.ts';
import { type MailboxTree, openMailboxTree } from '../folders/mailbox-tree.ts';
import { fittingName, splitName } from '../folders/names.ts';
import { openJournal } from '../journal/sqlite-journal.ts';
import { type Command, CommandRefusal, exitCodes } from './command.ts';
import { findConfigFile } from './find-config.ts';

/** Sends again what is in FAILED, or is held because nobody knows whether it arrived. */
export const retryCommand: Command = {
  name: 'retry',
  usage: 'FILE [CONFIG] [--mailbox ID]',
  summary: 'send a pair of FAILED, or one that is held, once more',
  about:
    'FILE is the name of either file of the pair, or both names without their ending. A pair of FAILED goes back to OUT, its\ncontrol file without the result; a held pair is let go. Works beside a running client, which then sends it.',
  positionals: [1, 2],
  options: { mailbox: 'look in this mailbox only' },
  values: { mailbox: 'ID' },
  async run({ positionals: [file = '', config], options, json }, io) {
    const { mailboxes, workPath } = loadConfig(findConfigFile(config), io.env);
    const name = basename(file);
    const base = splitName(name)?.base ?? name;
    const wanted = options['mailbox']?.toUpperCase();
    const done: string[] = [];
    for (const { id, root, folders } of mailboxes) {
      if (wanted !== undefined && id !== wanted) continue;
      const tree = await openMailboxTree(root, folders, false);
      if (letGo(workPath, id, base) || (await putBack(tree, base))) done.push(id);
    }
    if (done.length === 0)
      throw new CommandRefusal(exitCodes.no, 'no mailbox has such a pair in FAILED, and none holds it');
    io.stdout(json ? `${JSON.stringify({ retried: done })}\n` : `the client will send it from ${done.join(', ')}\n`);
    return exitCodes.ok;
  },
};

function letGo(workPath: string, mailbox: string, base: string): boolean {
  if (!existsSync(journalFileIn(workPath))) return false;
  using journal = openJournal(journalFileIn(workPath));
  const held = journal.open(mailbox).find((entry) => entry.state === 'held' && entry.base === base);
  if (held === undefined) return false;
  journal.change(held.pair, { state: 'waiting', doubtfulSends: 0, changedMs: Date.now() });
  return true;
}

const resultFields: readonly ControlField[] = ['DTSId', 'IsCompressed'];

/** Each step leaves a pair that another run of this command finishes. */
async function putBack(tree: MailboxTree, base: string): Promise<boolean> {
  const [control, payload] = [`${base}.ctl`, `${base}.dat`];
  if (!existsSync(join(tree.failed, control))) return false;
  const comesBack = existsSync(join(tree.failed, payload)) ? [control, payload] : [control];
  if (comesBack.some((name) => isOther(join(tree.failed, name), join(tree.out, name)))) throw heldAlready();
  const { fields } = readControlFile(readFileSync(join(tree.failed, control)));
  const cleaned = new Map([...fields].filter(([field]) => !resultFields.includes(field)));
  const aside = join(tree.failed, fittingName(`.${base}`, '.ctl.tmp'));
  await writeFlushed(aside, writeControlFile({ fields: cleaned }));
  renameSync(aside, join(tree.failed, control));
  for (const name of comesBack.toReversed()) moveUnlessHeld(join(tree.failed, name), join(tree.out, name));
  await syncFolder(tree.out);
  await syncFolder(tree.failed);
  return true;
}

/** An application may write a pair of this name at any moment: a link is never made over what is there, as a rename is. */
function moveUnlessHeld(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (isOther(from, to)) throw heldAlready();
    // Else an earlier run was cut off here, or it is a volume without links.
    if (codeOf(error) !== 'EEXIST') return renameSync(from, to);
  }
  unlinkSync(from);
}

/** Whether something that is not the first file has the second path. */
function isOther(from: string, to: string): boolean {
  const there = statSync(to, { bigint: true, throwIfNoEntry: false });
  const own = statSync(from, { bigint: true });
  return there !== undefined && (there.ino !== own.ino || there.dev !== own.dev);
}

function heldAlready(): CommandRefusal {
  return new CommandRefusal(exitCodes.no, 'OUT holds a file of this name already');
}
