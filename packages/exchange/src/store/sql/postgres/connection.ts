import { Client, DatabaseError } from 'pg';
import type { Row, SqlValue } from '../question.ts';
import { ConnectionLost, endsConnection, withoutValues } from './faults.ts';

export interface Statement {
  /** Prepared once a connection under this name; without one it is parsed each time. */
  readonly name?: string;
  readonly sql: string;
  readonly params?: readonly (SqlValue | Buffer)[];
}

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows answered or changed. */
  readonly count: number;
  /** The word of the command that was completed: a commit of what had failed says ROLLBACK. */
  readonly command: string;
}

export interface ConnectionOptions {
  /** `postgres://…` */
  readonly url: string;
  /** Shown in the server's list of its connections. */
  readonly role: string;
  readonly connectTimeoutMs: number;
  /** How long the whole of what is in flight may take before the connection counts as lost. */
  readonly answerTimeoutMs: number;
  readonly onNotice?: (channel: string, payload: string) => void;
}

const oids = { bytea: 17, int8: 20, int2: 21, int4: 23 } as const;
const keepAliveDelayMs = 10_000;

/** Numbers stay numbers: no column holds one beyond 2^53. */
function parserOf(oid: number): (text: string) => unknown {
  switch (oid) {
    case oids.int8:
    case oids.int2:
    case oids.int4:
      return Number;
    case oids.bytea:
      return (text) => Buffer.from(text.slice(2), 'hex');
    default:
      return (text) => text;
  }
}

/**
 * Every question is answered by an index, and its plan may not depend on how full a table was when it was made: joins that
 * walk one side whole are off for the same reason. A commit
 * that was answered is on the disk, and with synchronous standbys on theirs: an operator may ask for more, not for less.
 * A transaction whose node went silent lets go of its rows.
 */
const session = `set jit = off; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off;
  set client_min_messages = warning;
  set lock_timeout = '10s'; set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '30s';
  select set_config('synchronous_commit',
    case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false)`;

/** One connection to the primary. Statements put without waiting travel together and are answered in their order. */
export class PostgresConnection {
  readonly #client: Client;
  readonly #answerTimeoutMs: number;
  #lost: ConnectionLost | undefined;
  #inFlight = 0;
  #watchdog: NodeJS.Timeout | undefined;

  private constructor(client: Client, options: ConnectionOptions) {
    this.#client = client;
    this.#answerTimeoutMs = options.answerTimeoutMs;
    client.on('error', (error) => this.#lose(`the connection to PostgreSQL failed: ${error.message}`, error));
    client.on('end', () => this.#lose('the connection to PostgreSQL ended'));
    const { onNotice } = options;
    if (onNotice) client.on('notification', ({ channel, payload }) => onNotice(channel, payload ?? ''));
  }

  /** Connects to a server that takes changes. Throws `ConnectionLost`, also when a standby answers. */
  static async open(options: ConnectionOptions): Promise<PostgresConnection> {
    const client = new Client({
      connectionString: options.url,
      application_name: `openmesh ${options.role}`,
      connectionTimeoutMillis: options.connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveDelayMs,
      pipeline: true,
      types: { getTypeParser: parserOf as never },
    });
    const connection = new PostgresConnection(client, options);
    try {
      await client.connect();
      await connection.put({ sql: session });
      const { rows } = await connection.put({ sql: 'select pg_is_in_recovery()::int as standby' });
      if (rows[0]?.standby !== 0) throw new ConnectionLost('PostgreSQL answers as a standby, which takes no changes');
      return connection;
    } catch (error) {
      await connection.close();
      if (error instanceof ConnectionLost) throw error;
      throw new ConnectionLost(`PostgreSQL cannot be reached: ${(error as Error).message}`, error);
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Throws the server's error, or `ConnectionLost` when there is no telling what became of the statement. */
  async put({ name, sql, params }: Statement): Promise<Answer> {
    if (this.#lost !== undefined) throw this.#lost;
    this.#sent();
    try {
      const values = params as unknown[] | undefined;
      const result = await this.#client.query<Row>({
        text: sql,
        ...(name !== undefined && { name }),
        ...(values !== undefined && { values }),
      });
      return { rows: result.rows, count: result.rowCount ?? 0, command: result.command };
    } catch (raised) {
      const error = withoutValues(raised);
      if (!endsConnection(error)) throw error;
      const lost = this.#lose(`the connection to PostgreSQL was lost: ${(error as Error).message}`, error);
      throw error instanceof DatabaseError ? error : lost;
    } finally {
      this.#answered();
    }
  }

  async close(): Promise<void> {
    const isFine = this.#lost === undefined;
    this.#lost ??= new ConnectionLost('the connection to PostgreSQL is closed');
    clearTimeout(this.#watchdog);
    if (!isFine) return;
    await this.#client.end().catch(() => undefined);
  }

  #lose(message: string, cause?: unknown): ConnectionLost {
    if (this.#lost === undefined) {
      this.#lost = new ConnectionLost(message, cause);
      clearTimeout(this.#watchdog);
      this.#client.end().catch(() => undefined);
      (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    }
    return this.#lost;
  }

  #sent(): void {
    this.#inFlight += 1;
    if (this.#inFlight === 1) this.#watch();
  }

  #answered(): void {
    this.#inFlight -= 1;
    clearTimeout(this.#watchdog);
    if (this.#inFlight > 0 && this.#lost === undefined) this.#watch();
  }

  #watch(): void {
    const silent = `PostgreSQL did not answer within ${this.#answerTimeoutMs} ms`;
    this.#watchdog = setTimeout(() => this.#lose(silent), this.#answerTimeoutMs);
  }
}
