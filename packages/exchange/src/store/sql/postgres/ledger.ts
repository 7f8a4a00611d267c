import { type Ledger, LedgerFault } from '../../ledger.ts';
import { LedgerProblem, type LedgerProblemKind, type UnsafeSetting, unfitByProfile } from '../../ledger-problem.ts';
import type { Caller, ReadingCommands, WritingCommands } from '../commands/table.ts';
import { ledgerOver } from '../ledger-over.ts';
import { ComparedClock } from './compared-clock.ts';
import { PostgresConnection } from './connection.ts';
import { addDays, dropDays } from './days.ts';
import { unsafeSettings } from './durability.ts';
import { ConnectionLost } from './faults.ts';
import { RegistryHints } from './hints.ts';
import { dropKeptPayloads } from './kept-payloads.ts';
import { Lanes } from './lanes.ts';
import { Line } from './line.ts';
import { migrate } from './migrate.ts';
import { type MovedTokens, readMovedTokens } from './moved-tokens.ts';

export interface PostgresLedgerOptions {
  /** `postgres://…` of the primary, or of what leads to it. */
  readonly url: string;
  /** A ledger remembers the profile it was made for and refuses to be opened by the other. */
  readonly profile: 'live' | 'sandbox';
  /** A server that may lose what it answered is refused unless somebody is told of it here. */
  readonly onUnsafeServer?: (setting: UnsafeSetting) => void;
  /** Commands waiting, in flight included; beyond it the ledger answers 'unavailable'. */
  readonly queueMax: number;
  readonly onBatch?: (batch: { readonly size: number; readonly tookMs: number }) => void;
  /** A node changed the registry, or may have: a hint. Left out, nobody listens for it. */
  readonly onRegistryHint?: () => void;
  /** The clock of this machine, milliseconds since 1970; a test may set it. */
  readonly hostClock?: () => number;
}

const batchMax = 256;
const retryMs = 250;
const inquireMs = 60_000;
const limits = { connectTimeoutMs: 5000, answerTimeoutMs: 90_000 } as const;
/** How long one step of a migration may take, and the wait for another node's. */
const migrationMsMax = 24 * 3_600_000;
const heldTooLong =
  'no place could be made for the messages of the next day, because a transaction has read their tables all the while: pg_stat_activity names it';
const dropReceipts = "delete from commit_receipt where at < now() - interval '1 hour'";

/**
 * Opens the ledger of many nodes. Rejects with `LedgerProblem` when PostgreSQL cannot be reached, or may lose what it
 * answered; once open, it waits for it to come back.
 */
export async function openPostgresLedger(options: PostgresLedgerOptions): Promise<Ledger> {
  const { url, profile, queueMax, onBatch, onRegistryHint } = options;
  let movedTokens: MovedTokens | undefined;
  try {
    const migrating = async (connection: PostgresConnection): Promise<void> => {
      await requireDurability(connection, options);
      await migrate(connection);
      movedTokens = await readMovedTokens(connection);
    };
    await withConnection(url, 'schema', migrating, migrationMsMax);
  } catch (error) {
    if (error instanceof ConnectionLost) throw new LedgerProblem('unreachable', error);
    throw error;
  }
  const lanes = new Lanes({
    lineFor: (role, plansOnce) => new Line({ url, role, plansOnce, retryMs, ...limits }),
    queueMax,
    batchMax,
    inquireMs,
    ...(onBatch && { onBatch }),
    ...(movedTokens && { movedTokens }),
  });
  try {
    const made = (await lanes.write('claimMeta', 'profile', profile)) as string;
    if (made !== profile) throw unfitByProfile(made, profile);
  } catch (error) {
    // An open connection would keep a command from ending.
    await lanes.close();
    throw error;
  }
  const clock = new ComparedClock(options.hostClock ?? Date.now);
  const hints =
    onRegistryHint && new RegistryHints({ url, ...limits }, onRegistryHint, (connection) => clock.compare(connection));
  const closing = async (): Promise<void> => {
    await hints?.close();
    await lanes.close();
  };
  let closed: Promise<void> | undefined;
  const ledger = ledgerOver({
    write: lanes.write as unknown as Caller<WritingCommands>,
    read: lanes.read as unknown as Caller<ReadingCommands>,
    waiting: () => lanes.waiting,
    close: () => (closed ??= closing()),
    upkeep: (nowMs) =>
      withConnection(url, 'upkeep', async (connection) => {
        const isReady = await addDays(connection, nowMs);
        await dropDays(connection, nowMs);
        await dropKeptPayloads(connection);
        await connection.put({ sql: dropReceipts });
        // Settings may be changed while a server runs, and a standby that takes over may have others.
        await requireDurability(connection, options);
        if (!isReady) throw new LedgerFault('unavailable', heldTooLong);
      }),
  });
  return { ...ledger, jobs: clock.guard(ledger.jobs) };
}

/** What is wrong with the server at this address, as far as it can be told by asking it. Changes nothing. */
export async function askDurability(url: string): Promise<readonly LedgerProblemKind[]> {
  const found: LedgerProblemKind[] = [];
  try {
    await withConnection(url, 'check', async (connection) => void found.push(...(await unsafeSettings(connection))));
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    found.push('unreachable');
  }
  return found;
}

async function requireDurability(
  connection: PostgresConnection,
  { onUnsafeServer }: Pick<PostgresLedgerOptions, 'onUnsafeServer'>,
): Promise<void> {
  for (const setting of await unsafeSettings(connection)) {
    if (onUnsafeServer === undefined) throw new LedgerProblem(setting);
    onUnsafeServer(setting);
  }
}

async function withConnection(
  url: string,
  role: string,
  work: (connection: PostgresConnection) => Promise<void>,
  answerTimeoutMs: number = limits.answerTimeoutMs,
): Promise<void> {
  const connection = await PostgresConnection.open({ url, role, ...limits, answerTimeoutMs });
  try {
    await work(connection);
  } finally {
    await connection.close();
  }
}
