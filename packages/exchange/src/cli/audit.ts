import type { AuditLedger, ChainedAuditEntry } from '../store/ledger/audit.ts';
import { auditRoot, chainHash } from '../store/ledger/audit-chain.ts';
import { type OpenForAdmin, withSession } from './admin-session.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';
import { type CommandGroup, CommandRefusal, defineCommand, groupCommands } from './define-command.ts';
import { instantText, printJson, printTable } from './print.ts';
import { readCount } from './read-options.ts';

const pageSize = 1000;
const progressEvery = 100_000;
const listDefault = 50;
const listMax = 10_000;

/** All entries in order, a page at a time. */
async function* readEntries(audit: AuditLedger): AsyncGenerator<ChainedAuditEntry> {
  for (let next = 0; ; ) {
    const page = await audit.read({ fromEntryNo: next, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    next = last.entryNo + 1;
  }
}

interface Verdict {
  readonly ok: boolean;
  readonly entries: number;
  /** The last entry that fits, as --expect takes it; keep it elsewhere to prove later that nothing was cut off. */
  readonly head: string;
  readonly problem: string | null;
}

const headPattern = /^(\d{1,15}):([0-9a-f]{64})$/;

interface Expected {
  readonly entryNo: number;
  readonly hash: string;
}

function readExpected(text: string | undefined): Expected | undefined {
  if (text === undefined) return undefined;
  const [, entryNo, hash] = headPattern.exec(text) ?? [];
  if (entryNo !== undefined && hash !== undefined) return { entryNo: Number(entryNo), hash };
  throw new CommandRefusal(exitCodes.badInput, '--expect must be a head that an earlier "audit verify" printed');
}

async function verify(audit: AuditLedger, expected: Expected | undefined, io: CommandIo): Promise<Verdict> {
  let previous = { entryNo: 0, hash: auditRoot };
  const verdict = (problem: string | null): Verdict => {
    const { entryNo, hash } = previous;
    return { ok: problem === null, entries: entryNo, head: `${entryNo}:${hash}`, problem };
  };
  for await (const entry of readEntries(audit)) {
    const { entryNo, hash } = entry;
    if (entryNo !== previous.entryNo + 1) {
      return verdict(`entry ${previous.entryNo + 1} is missing: the next one there is ${entryNo}`);
    }
    if (chainHash(previous.hash, entryNo, entry) !== hash) {
      return verdict(`entry ${entryNo} was changed, or one before it`);
    }
    if (expected?.entryNo === entryNo && expected.hash !== hash) {
      return verdict(`entry ${entryNo} is not the one expected: the log was written anew`);
    }
    previous = { entryNo, hash };
    if (entryNo % progressEvery === 0) io.stderr(`verified ${entryNo} entries\n`);
  }
  if (expected !== undefined && expected.entryNo > previous.entryNo) {
    return verdict(`entries ${previous.entryNo + 1} to ${expected.entryNo} were cut off`);
  }
  return verdict(null);
}

function createAuditVerify(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'audit verify',
    summary: 'check that the audit log is whole and unchanged',
    about: [
      'Computes the chain of hashes anew from the first entry on, and prints the head: number and hash of the last entry.',
      'Keep the head elsewhere; with --expect it proves later that nothing before it was changed, replaced or cut off.',
    ].join('\n'),
    positionals: [],
    options: { expect: { value: 'HEAD', says: 'a head that was printed before' } },
    exits: {
      failed: 'the log is not whole',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const expected = readExpected(options.expect);
      const verdict = await withSession(open, io, ({ ledger }) => verify(ledger.audit, expected, io));
      if (json) printJson(io, verdict);
      else io.stdout(`${verdict.entries} entries fit\nhead: ${verdict.head}\n`);
      if (verdict.problem === null) return exitCodes.ok;
      io.stderr(`${verdict.problem}; keep a copy of the ledger and find out who could write to it\n`);
      return exitCodes.failed;
    },
  });
}

/** In order of entry: from one on, or the last ones. */
async function select(audit: AuditLedger, from: number | undefined, limit: number) {
  if (from !== undefined) return audit.read({ fromEntryNo: from, limit });
  const last = await audit.read({ fromEntryNo: Number.MAX_SAFE_INTEGER, limit, newestFirst: true });
  return last.toReversed();
}

function createAuditList(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'audit list',
    summary: 'list who changed or read what',
    about: 'Lists entries of the audit log in order: the last ones, or from one on.',
    positionals: [],
    options: {
      from: { value: 'N', says: 'from this entry on' },
      limit: { value: 'N', says: `at most so many (default ${listDefault}, at most ${listMax})` },
    },
    exits: {
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const limit = readCount('limit', options.limit, listDefault, 1, listMax);
      const from = options.from === undefined ? undefined : readCount('from', options.from, 1, 1, 1e15 - 1);
      const entries = await withSession(open, io, ({ ledger }) => select(ledger.audit, from, limit));
      if (json) {
        printJson(io, { entries });
        return exitCodes.ok;
      }
      const rows = entries.map((row) => [
        String(row.entryNo),
        instantText(row.atMs),
        row.actor,
        row.action,
        row.subject,
        row.detail,
      ]);
      printTable(io, ['entry', 'time', 'actor', 'action', 'subject', 'detail'], rows);
      return exitCodes.ok;
    },
  });
}

/** `audit`: the commands about the append-only log of changes and of reads by people. */
export function createAuditCommand(open: OpenForAdmin): CommandGroup {
  return groupCommands('audit', 'verify and list the log of changes and reads', [
    createAuditVerify(open),
    createAuditList(open),
  ]);
}
