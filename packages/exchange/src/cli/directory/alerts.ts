import { parseOdsCode } from '../../mailbox/directory/ods-code.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { instantText, printJson, printTable } from '../print.ts';
import { readCount, readTime } from '../read-options.ts';

const limitDefault = 100;
const limitMax = 10_000;

/** `directory alerts`: what has become of organisations that have mailboxes. */
export function createDirectoryAlerts(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'directory alerts',
    summary: 'list organisations with mailboxes that closed, were renamed or succeeded',
    about: [
      'Lists, the newest first, what the directory says has become of organisations with mailboxes: closed, closing,',
      'renamed, succeeded. The exchange writes each to its log once and counts it in openmesh_directory_alerts_total.',
    ].join('\n'),
    positionals: [],
    options: {
      organisation: { value: 'CODE', says: 'of one organisation' },
      since: { value: 'TIME', says: 'not before: a date, or 30m, 12h, 7d ago' },
      limit: { value: 'N', says: `at most so many, the newest (default ${limitDefault}, at most ${limitMax})` },
    },
    exits: {
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const given = options.organisation;
      const odsCode = given === undefined ? null : parseOdsCode(given);
      if (odsCode === undefined) {
        throw new CommandRefusal(exitCodes.badInput, '--organisation must be a code of 3 to 10 letters and digits');
      }
      const sinceMs = readTime('since', options.since, world.now()) ?? 0;
      const limit = readCount('limit', options.limit, limitDefault, 1, limitMax);
      const alerts = await withSession(open, io, ({ ledger }) => ledger.directory.alerts({ odsCode, sinceMs, limit }));
      if (json) printJson(io, { alerts });
      else {
        const rows = alerts.map((alert) => [instantText(alert.atMs), alert.odsCode, alert.kind, alert.detail]);
        printTable(io, ['time', 'organisation', 'alert', 'detail'], rows);
      }
      if (alerts.length === limit) io.stderr('there may be more; narrow the search or raise --limit\n');
      return exitCodes.ok;
    },
  });
}
