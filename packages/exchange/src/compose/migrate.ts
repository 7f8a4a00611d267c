import { type BodiesCopied, copyBodies } from '../backup/copy-bodies.ts';
import type { Config } from '../config/config.ts';
import { openSecretKeys } from '../config/secrets.ts';
import { LedgerCopyProblem, type LedgerSnapshot } from '../store/ledger-snapshot.ts';
import { type FillingPostgres, fillPostgres } from '../store/sql/postgres/table-writer.ts';
import { type HeldSqlite, holdSqlite } from '../store/sql/sqlite/table-reader.ts';
import { copyTables, type UsedToken } from '../store/sql/table-copy.ts';
import { openBodyBlobs, takeSnapshot } from './copies.ts';
import { openSealedBodies } from './sealed-bodies.ts';

const tokensTogether = 5000;

export interface MoveProgress {
  readonly phase: 'bodies' | 'ledger';
  readonly done: number;
  readonly bytes: number;
}

export interface Moved extends BodiesCopied {
  readonly rows: number;
  /** Tokens that were used and are refused at the new ledger too. */
  readonly tokens: number;
  /** The name under which the old ledger lies now; undefined when only bodies were copied. */
  readonly retired: string | undefined;
}

/** Copies every body that the ledger names now to the store of `to`; the exchange may run. */
export async function copyBodiesOnly(from: Config, to: Config, progress: (so: MoveProgress) => void): Promise<Moved> {
  const snapshot = await takeSnapshot(from);
  try {
    const copied = await copyNamed(snapshot, from, to, progress);
    return { ...copied, rows: 0, tokens: 0, retired: undefined };
  } finally {
    await snapshot.close();
  }
}

/**
 * Moves a stopped exchange from SQLite to PostgreSQL, and its bodies to where the new settings say. Bytes before book: all
 * bodies first, then every row in one transaction. Only when that is committed is the old ledger given another name.
 */
export async function moveStores(from: Config, to: Config, progress: (so: MoveProgress) => void): Promise<Moved> {
  if (from.ledger.engine !== 'sqlite' || to.ledger.engine !== 'postgres') {
    throw new LedgerCopyProblem('a ledger is moved from SQLite to PostgreSQL');
  }
  requireSameSecret(from, to);
  const held = holdSqlite(from.ledger.path);
  try {
    const offset = Number(held.meta('clock-offset-ms') ?? '0');
    if (offset !== 0 && !to.movableClock) {
      throw new LedgerCopyProblem(
        'the clock of this ledger was moved, and its messages are of another time: reset it first',
      );
    }
    const copied = await copyNamed({ bodies: () => held.bodies(), isNamedNow: isNamedStill }, from, to, progress);
    if (copied.absentCount > 0) return { ...copied, rows: 0, tokens: 0, retired: undefined };
    const filling = await fillPostgres(to.ledger.url.reveal());
    let rows = 0;
    let tokens = 0;
    try {
      let before = 0;
      for await (const table of copyTables(held, filling)) {
        if (table.ended) before += table.rows;
        rows = table.ended ? before : before + table.rows;
        progress({ phase: 'ledger', done: rows, bytes: 0 });
      }
      tokens = await copyUsedTokens(held, filling);
      await filling.setMeta('profile', to.profile);
      await filling.commit();
    } finally {
      await filling.close();
    }
    return { ...copied, rows, tokens, retired: held.retire() };
  } finally {
    held.close();
  }
}

/** Nobody else writes to a ledger that is held: what it named then it names. */
const isNamedStill = (): Promise<boolean> => Promise.resolve(true);

/** Resolves to how many. */
async function copyUsedTokens(held: HeldSqlite, filling: FillingPostgres): Promise<number> {
  let tokens = 0;
  let some: UsedToken[] = [];
  const write = async (): Promise<void> => {
    await filling.writeUsedTokens(some);
    tokens += some.length;
    some = [];
  };
  for (const token of held.usedTokens(Date.now())) {
    some.push(token);
    if (some.length === tokensTogether) await write();
  }
  if (some.length > 0) await write();
  return tokens;
}

async function copyNamed(
  ledger: Pick<LedgerSnapshot, 'bodies' | 'isNamedNow'>,
  from: Config,
  to: Config,
  progress: (so: MoveProgress) => void,
): Promise<BodiesCopied> {
  const [source, target] = [await openBodyBlobs(from), await openBodyBlobs(to)];
  try {
    return await copyBodies(ledger.bodies(), source, target, {
      nowMs: Date.now,
      isNamedNow: (ref) => ledger.isNamedNow(ref),
      openSealed: openSealedBodies(from),
      progress: (so) => progress({ phase: 'bodies', ...so }),
    });
  } finally {
    source.close();
    target.close();
  }
}

/** Passwords and texts were sealed by a key that the new settings must still hold. */
function requireSameSecret(from: Config, to: Config): void {
  const held = new Set(openSecretKeys(to).map(({ id }) => id));
  if (!openSecretKeys(from).every(({ id }) => held.has(id))) {
    throw new LedgerCopyProblem(
      'the new OPENMESH_SECRET_KEY_FILE lacks a key of the old one: add its lines, or what it sealed is lost',
    );
  }
}
