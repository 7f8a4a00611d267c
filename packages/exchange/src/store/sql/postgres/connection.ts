import { Client, DatabaseError } from 'pg';
import type { Row, SqlValue } from '../question.ts';
import { ConnectionLost, endsConnection, withoutValues } from './faults.ts';
import { type GroupedStatement, type PreparedStatements, StatementGroup } from './statement-group.ts';

export interface Statement {
  /** Prepared once a connection under this name; without one it is parsed each time, and may be a script. */
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
  /**
   * A statement's plan is made once, and not for the values of each time: for statements that are put all the time, and
   * that say in so many words what a plan may leave out.
   */
  readonly plansOnce?: boolean;
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
 * walk one side whole are off for the same reason. A commit that was answered is on the disk, and with synchronous standbys
 * on theirs: an operator may ask for more, not for less. A transaction whose node went silent lets go of its rows.
 */
const session = `set jit = off; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off;
  set client_min_messages = warning;
  set lock_timeout = '10s'; set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '30s';
  select set_config('synchronous_commit',
    case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false)`;

const plansOnce = 'set plan_cache_mode = force_generic_plan';

/** One connection to the primary. What is put without waiting is answered in its order. */
export class PostgresConnection {
  readonly #client: Client;
  readonly #answerTimeoutMs: number;
  #lost: ConnectionLost | undefined;
  #inFlight = 0;
  readonly #prepared: PreparedStatements = { known: new Map(), doubtful: new Set() };
  #gathered: GroupedStatement[] = [];
  /** Under way, and waiting behind it. */
  readonly #turns: (() => Promise<void>)[] = [];
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
      types: { getTypeParser: parserOf as never },
    });
    const connection = new PostgresConnection(client, options);
    try {
      await client.connect();
      await connection.put({ sql: session });
      if (options.plansOnce === true) await connection.put({ sql: plansOnce });
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

  /**
   * Statements with a name that are put in the same turn are one group, which fails as one; a script is put by itself.
   * Throws the server's error, `Skipped` when that is another statement's of its group, or `ConnectionLost` when there is
   * no telling what became of the statement.
   */
  async put(statement: Statement): Promise<Answer> {
    if (this.#lost !== undefined) throw this.#lost;
    this.#sent();
    try {
      return await (statement.name === undefined
        ? this.#putAlone(statement)
        : this.#putTogether(statement.name, statement));
    } catch (error) {
      if (!endsConnection(error)) throw error;
      const lost = this.#lose(`the connection to PostgreSQL was lost: ${(error as Error).message}`, error);
      throw error instanceof DatabaseError ? error : lost;
    } finally {
      this.#answered();
    }
  }

  #putTogether(name: string, { sql, params = [] }: Statement): Promise<Answer> {
    if (this.#gathered.length === 0) process.nextTick(() => this.#sendGathered());
    return new Promise((resolve, reject) => this.#gathered.push({ name, sql, params, resolve, reject }));
  }

  #sendGathered(): void {
    if (this.#gathered.length === 0) return;
    const statements = this.#gathered;
    this.#gathered = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#inTurn(() => {
      this.#client.query(new StatementGroup({ statements, prepared: this.#prepared, parserOf, settled: resolve }));
      return promise;
    });
  }

  #putAlone({ sql, params }: Statement): Promise<Answer> {
    this.#sendGathered();
    const values = params as unknown[] | undefined;
    return new Promise((resolve, reject) => {
      this.#inTurn(async () => {
        try {
          const result = await this.#client.query<Row>({ text: sql, ...(values !== undefined && { values }) });
          resolve({ rows: result.rows, count: result.rowCount ?? 0, command: result.command });
        } catch (error) {
          reject(withoutValues(error));
        }
      });
    });
  }

  /** The driver is given one query at a time, and a group is one query. */
  #inTurn(send: () => Promise<void>): void {
    this.#turns.push(send);
    if (this.#turns.length === 1) void this.#takeTurns();
  }

  async #takeTurns(): Promise<void> {
    for (let send = this.#turns[0]; send !== undefined; send = this.#turns[0]) {
      await send();
      this.#turns.shift();
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
