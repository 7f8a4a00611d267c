import { type OpenForAdmin, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { printJson, printTable } from '../print.ts';
import { readCount, readWord } from '../read-options.ts';

const limitDefault = 100;
const limitMax = 1_000_000;

/** `mailbox list`: mailboxes in order of id, all of them or by organisation and state. */
export function createMailboxList(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'mailbox list',
    summary: 'list mailboxes',
    about: 'Lists mailboxes in order of id.',
    positionals: [],
    options: {
      'ods-code': { value: 'CODE', says: 'of this organisation only' },
      state: { value: 'active|disabled|closed', says: 'in this state only' },
      limit: { value: 'N', says: `at most so many (default ${limitDefault})` },
    },
    exits: {
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const limit = readCount('limit', options.limit, limitDefault, 1, limitMax);
      const state = readWord('state', options.state, ['active', 'disabled', 'closed']);
      const odsCode = options['ods-code']?.toUpperCase();
      const { mailboxes, version } = await withSession(open, io, ({ ledger }) => ledger.registry.load());
      const found = mailboxes
        .filter((row) => state === undefined || row.state === state)
        .filter((row) => odsCode === undefined || row.odsCode.toUpperCase() === odsCode)
        .sort((a, b) => (a.mailboxId < b.mailboxId ? -1 : 1));
      const shown = found.slice(0, limit);
      if (json) {
        printJson(io, { version, found: found.length, mailboxes: shown });
        return exitCodes.ok;
      }
      const rows = shown.map((row) => [row.mailboxId, row.state, row.odsCode, row.name]);
      printTable(io, ['mailbox', 'state', 'organisation', 'name'], rows);
      if (found.length > shown.length) io.stderr(`${found.length - shown.length} more; --limit shows more of them\n`);
      return exitCodes.ok;
    },
  });
}
