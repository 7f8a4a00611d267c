import { parseMailboxId } from '@openmesh/protocol';
import type { RefusalQuery, RefusalRecord } from '../store/ledger/refusals.ts';
import { hostSurroundings, type OpenForAdmin, type Surroundings, withSession } from './admin-session.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';
import { defineCommand } from './define-command.ts';
import { instantText, printJson, printTable } from './print.ts';
import { readCount, readTime } from './read-options.ts';

const limitDefault = 50;
const limitMax = 1000;

const options = {
  mailbox: { value: 'MAILBOX', says: 'as the caller claimed it' },
  'certificate-serial': { value: 'SERIAL', says: 'of the client certificate' },
  address: { value: 'ADDRESS', says: 'network address of the caller' },
  reason: { value: 'REASON', says: 'stable code, such as token-stale or nonce-used' },
  since: { value: 'TIME', says: 'not before: a date, or 30m, 12h, 7d ago' },
  until: { value: 'TIME', says: 'before: a date, or 30m, 12h, 7d ago' },
  limit: { value: 'N', says: `at most so many, the newest (default ${limitDefault}, at most ${limitMax})` },
} as const;

type Given = { readonly [Name in keyof typeof options]?: string };

function readQuery(given: Given, nowMs: number): RefusalQuery {
  const sinceMs = readTime('since', given.since, nowMs);
  const untilMs = readTime('until', given.until, nowMs);
  const serial = given['certificate-serial'];
  const { mailbox, address, reason } = given;
  return {
    limit: readCount('limit', given.limit, limitDefault, 1, limitMax),
    // A claimed mailbox that is none is kept as claimed, so it is looked for as given.
    ...(mailbox === undefined ? {} : { mailbox: parseMailboxId(mailbox) ?? mailbox }),
    ...(serial === undefined ? {} : { certificateSerial: serial }),
    ...(address === undefined ? {} : { address }),
    ...(reason === undefined ? {} : { reason }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}

function printFound(found: readonly RefusalRecord[], io: CommandIo): void {
  const header = ['time', 'reason', 'mailbox', 'operation', 'status', 'address', 'count', 'detail'];
  const rows = found.map((row) => [
    instantText(row.atMs),
    row.reason,
    row.mailbox ?? '-',
    row.operation ?? '-',
    row.status === null ? '-' : String(row.status),
    row.address ?? '-',
    String(row.count),
    row.detail,
  ]);
  printTable(io, header, rows);
}

/** `refusals`: why requests were turned away. */
export function createRefusalsCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): Command {
  return defineCommand({
    path: 'refusals',
    summary: 'search why requests were turned away',
    about: [
      'Lists refused requests, the newest first, with the exact reason that the caller is not told. Finds also requests',
      'that named no mailbox, and connections that failed before HTTP. "count" is how many alike one record stands for.',
    ].join('\n'),
    positionals: [],
    options,
    exits: {
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options: given, json }, io) {
      const query = readQuery(given, world.now());
      const found = await withSession(open, io, ({ ledger }) => ledger.refusals.search(query));
      if (json) printJson(io, { refusals: found });
      else printFound(found, io);
      if (found.length === query.limit) io.stderr(`there may be more; narrow the search or raise --limit\n`);
      return exitCodes.ok;
    },
  });
}
