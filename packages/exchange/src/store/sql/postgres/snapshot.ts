import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { BodyRef } from '../../bodies.ts';
import { LedgerProblem } from '../../ledger-problem.ts';
import { LedgerCopyProblem, type LedgerSnapshot, type NamedBody } from '../../ledger-snapshot.ts';
import { toNamedBody } from '../named-body.ts';
import { type NamedBodyRow, namedBodies } from '../questions/copies.ts';
import { findBodyRef } from '../questions/jobs.ts';
import { PostgresConnection } from './connection.ts';
import { partedTables } from './days.ts';
import { ConnectionLost } from './faults.ts';

const limits = { connectTimeoutMs: 5000, answerTimeoutMs: 10 * 60_000 } as const;
const fetchedAtOnce = 5000;
const saidBytesMax = 4096;

/** The variables of this process that PostgreSQL's programs are given. */
type Inherited = Readonly<Record<string, string | undefined>>;

/**
 * The ledger at one moment by PostgreSQL's own `pg_dump`, and the bodies it names in the same moment's transaction. Writers
 * go on; dead rows of the time it takes are kept meanwhile.
 */
export async function snapshotPostgres(url: string, inherited: Inherited): Promise<LedgerSnapshot> {
  const connection = await open(url, 'backup');
  try {
    for (const name of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
      await connection.put({ sql: `set ${name} = 0` });
    }
    // This one walks whole tables.
    await connection.put({ sql: 'set enable_seqscan = on; set enable_hashjoin = on; set enable_mergejoin = on' });
    await connection.put({ sql: 'begin isolation level repeatable read read only' });
    // Before its moment, for all the time it takes: what moves to another part after the moment is to be seen in neither.
    await connection.put({ sql: `lock table ${partedTables} in access share mode` });
    const { rows } = await connection.put({ sql: 'select pg_export_snapshot() as id' });
    const id = String(rows[0]?.['id']);
    return {
      engine: 'postgres',
      bodies: () => readBodies(connection),
      isNamedNow: (ref) => isNamed(url, ref),
      pieces: () => dump(url, inherited, id),
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function open(url: string, role: string): Promise<PostgresConnection> {
  try {
    return await PostgresConnection.open({ url, role, ...limits });
  } catch (error) {
    if (error instanceof ConnectionLost) throw new LedgerProblem('unreachable', error);
    throw error;
  }
}

/** Asked on a connection of its own, for that of the snapshot sees its moment only. */
async function isNamed(url: string, ref: BodyRef): Promise<boolean> {
  const connection = await open(url, 'backup');
  try {
    return (await connection.put({ sql: findBodyRef.sql, params: [ref] })).rows.length > 0;
  } finally {
    await connection.close();
  }
}

async function* readBodies(connection: PostgresConnection): AsyncGenerator<NamedBody, void, void> {
  await connection.put({ sql: `declare named_bodies no scroll cursor for ${namedBodies} collate "C"` });
  for (;;) {
    const { rows } = await connection.put({ sql: `fetch ${fetchedAtOnce} from named_bodies` });
    for (const row of rows) yield toNamedBody(Object.values(row) as unknown as NamedBodyRow);
    if (rows.length < fetchedAtOnce) return;
  }
}

async function* dump(url: string, inherited: Inherited, snapshot: string): AsyncGenerator<Uint8Array, void, void> {
  const child = run('pg_dump', url, inherited, [
    '--format=custom',
    '--compress=0',
    '--no-owner',
    `--snapshot=${snapshot}`,
  ]);
  const said = saidBy(child);
  const ended = endOf(child);
  if (child.stdout === null) throw new Error('a child without standard output');
  let whole = false;
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    whole = true;
  } finally {
    // Its output ends before it does: one that wrote all of it is left to end by itself.
    if (!whole) child.kill();
  }
  requireSuccess('pg_dump', await ended, said());
}

/** Makes the ledger in an empty database of its image, all of it or nothing. */
export async function restorePostgres(
  url: string,
  inherited: Inherited,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  await requireEmpty(url);
  const child = run('pg_restore', url, inherited, [
    '--no-owner',
    '--no-privileges',
    '--exit-on-error',
    '--single-transaction',
  ]);
  const said = saidBy(child);
  const ended = endOf(child);
  const { stdin } = child;
  if (stdin === null) throw new Error('a child without standard input');
  stdin.on('error', () => undefined);
  child.stdout?.resume();
  try {
    for await (const piece of pieces) {
      if (!stdin.write(Buffer.from(piece)) && !stdin.destroyed) await Promise.race([once(stdin, 'drain'), ended]);
    }
    stdin.end();
  } catch (error) {
    // Nothing of an image that is not whole may be committed.
    child.kill('SIGKILL');
    await ended;
    throw error;
  }
  requireSuccess('pg_restore', await ended, said());
}

async function requireEmpty(url: string): Promise<void> {
  const connection = await open(url, 'restore');
  try {
    const { rows } = await connection.put({
      sql: `select count(*) as tables from pg_class
            where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
    });
    if (Number(rows[0]?.['tables']) > 0) {
      throw new LedgerCopyProblem('the database is not empty: make a new one, and name it in OPENMESH_LEDGER');
    }
  } finally {
    await connection.close();
  }
}

/** The password goes by the environment: every user of the machine can read the arguments. */
function run(program: string, url: string, inherited: Inherited, args: readonly string[]): ChildProcess {
  const place = new URL(url);
  const password = decodeURIComponent(place.password);
  place.password = '';
  return spawn(program, [...args, '--dbname', place.href], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...inherited, ...(password !== '' && { PGPASSWORD: password }) },
  });
}

function saidBy(child: ChildProcess): () => string {
  let said = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (piece: string) => {
    said = (said + piece).slice(-saidBytesMax);
  });
  return () => said.trim();
}

/** The exit status; the system's reason where the program could not be started. */
async function endOf(child: ChildProcess): Promise<number | string> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return code ?? signal ?? 'unknown';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

function requireSuccess(program: string, status: number | string, said: string): void {
  if (status === 0) return;
  if (status === 'ENOENT') {
    throw new LedgerCopyProblem(
      `${program} is missing: install the client programs of PostgreSQL, of its version or a later one`,
    );
  }
  throw new LedgerCopyProblem(`${program} ended with ${status}: ${said}`);
}
