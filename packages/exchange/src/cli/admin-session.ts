import { userInfo } from 'node:os';
import type { Config } from '../config/config.ts';
import type { KeyService } from '../keys/key-service.ts';
import { type Entry, readEntry } from '../mailbox/import/entry.ts';
import { EntryProblem } from '../mailbox/import/member-readers.ts';
import type { Sealer } from '../mailbox/sealer.ts';
import { type Ledger, LedgerFault } from '../store/ledger.ts';
import { type CommandIo, exitCodes } from './command.ts';
import { CommandRefusal } from './define-command.ts';
import { goodConfig } from './good-config.ts';

/** What an admin command works on. The exchange may be running on the same ledger. */
export interface AdminSession {
  readonly ledger: Ledger;
  readonly sealer: Sealer;
  readonly keys: KeyService;
  readonly close: () => Promise<void>;
}

export type OpenForAdmin = (config: Config) => Promise<AdminSession>;

/** What commands take from the world beside their ledger: injected so that tests can hold it still. */
export interface Surroundings {
  /** Machine clock, milliseconds: validity of passwords and dates of the audit follow it. */
  readonly now: () => number;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Who is at the command line, as the audit names them. */
  readonly actor: () => string;
}

export const hostSurroundings: Surroundings = {
  now: Date.now,
  get stdin() {
    return process.stdin;
  },
  actor() {
    try {
      return `command-line:${userInfo().username}`;
    } catch {
      // A container may run under a user id that has no name.
      return `command-line:uid-${process.getuid?.() ?? 'unknown'}`;
    }
  },
};

/** What keeps a ledger from being opened lies in its place, its profile or its key: nothing that trying again mends. */
async function openOrRefuse(open: OpenForAdmin, config: Config): Promise<AdminSession> {
  try {
    return await open(config);
  } catch (error) {
    if (error instanceof LedgerFault) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandRefusal(
      exitCodes.config,
      `the ledger cannot be opened: ${why}; "check-config" shows the settings`,
    );
  }
}

/** Opens, works, and closes however the work ends. A configuration that is not good is refused with 78. */
export async function withSession<R>(
  open: OpenForAdmin,
  io: CommandIo,
  work: (session: AdminSession) => Promise<R>,
): Promise<R> {
  const session = await openOrRefuse(open, goodConfig(io.env).config);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Reads an import line made from options. Throws a refusal that names the member, as an import would. */
export function entryOf(line: Readonly<Record<string, unknown>>): Entry {
  const given = Object.fromEntries(Object.entries(line).filter(([, value]) => value !== undefined));
  try {
    const entry = readEntry(given, 1);
    if (entry === undefined) throw new Error('a header is no entry');
    return entry;
  } catch (error) {
    throw error instanceof EntryProblem ? new CommandRefusal(exitCodes.badInput, error.message) : error;
  }
}
