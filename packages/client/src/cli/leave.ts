import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { journalFileIn } from '../compose.ts';
import { removeOwn } from '../folders/durable.ts';
import { openMailboxTree } from '../folders/mailbox-tree.ts';
import { openJournalToRead } from '../journal/sqlite-journal.ts';
import { lockRoot } from '../mailbox/root-lock.ts';
import { type Command, CommandRefusal, exitCodes } from './command.ts';
import { readConfig } from './find-config.ts';

/** The way back: after it, the folders hold nothing that another client would stumble over. */
export const leaveCommand: Command = {
  name: 'leave',
  usage: '[CONFIG]',
  summary: 'hand the folders back to another client, such as the Java one',
  about:
    'For a client that was stopped. Removes what is ours from the TEMP folders, and nothing else. Refuses while a pair is under\nway, since another client would send it once more: run "once" first, or "retry" what is held.',
  positionals: [0, 1],
  options: {},
  async run({ positionals, json }, io) {
    const config = readConfig(positionals[0], io);
    const open: string[] = [];
    if (existsSync(journalFileIn(config.workPath))) {
      using journal = openJournalToRead(journalFileIn(config.workPath));
      for (const { id, root, folders } of config.mailboxes) {
        const { out } = await openMailboxTree(root, folders, false);
        // What is no longer in OUT no client can send; a pair with an outcome has files of ours to be moved.
        const pairs = journal
          .open(id)
          .filter((entry) => entry.outcome !== null || existsSync(join(out, entry.controlName)));
        open.push(...pairs.map(({ pair, state }) => `pair ${pair} of ${id} (${state})`));
        const fetched = journal.unacknowledged(id).filter(({ state }) => state !== 'fetching');
        open.push(...fetched.map(({ messageId, state }) => `message ${messageId} of ${id} (${state})`));
      }
    }
    if (open.length > 0) {
      throw new CommandRefusal(exitCodes.no, `something is under way still: ${open.slice(0, shownMax).join(', ')}`);
    }
    for (const { root, folders } of config.mailboxes) {
      const tree = await openMailboxTree(root, folders, false);
      // Nobody may be at work there; the lock is given back before its files go.
      lockRoot(tree.temp, Date.now())[Symbol.dispose]();
      for (const name of await readdir(tree.temp))
        if (name.startsWith('.openmesh')) await removeOwn(join(tree.temp, name));
    }
    io.stdout(
      json ? '{"left":true}\n' : 'the folders are as any client expects them; the configuration file is unchanged\n',
    );
    return exitCodes.ok;
  },
};

const shownMax = 10;
