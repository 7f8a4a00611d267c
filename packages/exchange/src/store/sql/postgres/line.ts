import { setTimeout as wait } from 'node:timers/promises';
import { type ConnectionOptions, PostgresConnection } from './connection.ts';
import { ConnectionLost, wordsOf } from './faults.ts';

export interface LineOptions extends ConnectionOptions {
  /** How long after a failed attempt to connect the next one is made. */
  readonly retryMs: number;
}

/**
 * A connection that is made when it is first needed, and made again by itself when it was lost. While it cannot be made
 * whoever needs it is told so at once.
 */
export class Line {
  readonly #options: LineOptions;
  readonly #closing = new AbortController();
  #connection: PostgresConnection | undefined;
  #connecting: Promise<PostgresConnection> | undefined;
  #away: ConnectionLost | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  /** Throws `ConnectionLost` while the engine is away. */
  async connected(): Promise<PostgresConnection> {
    if (this.#closing.signal.aborted) throw new ConnectionLost('the ledger is closed');
    if (this.#connection !== undefined && !this.#connection.isLost) return this.#connection;
    this.#connection = undefined;
    if (this.#away !== undefined) throw this.#away;
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connecting?.catch(() => undefined);
    await this.#connection?.close();
  }

  async #connect(): Promise<PostgresConnection> {
    try {
      const connection = await PostgresConnection.open(this.#options);
      this.#connection = connection;
      this.#away = undefined;
      if (this.#closing.signal.aborted) await connection.close();
      return connection;
    } catch (error) {
      this.#away = error instanceof ConnectionLost ? error : new ConnectionLost(wordsOf(error), error);
      void this.#tryAgain();
      throw this.#away;
    } finally {
      this.#connecting = undefined;
    }
  }

  async #tryAgain(): Promise<void> {
    const { signal } = this.#closing;
    try {
      await wait(this.#options.retryMs, undefined, { signal, ref: false });
    } catch {
      return;
    }
    this.#connecting ??= this.#connect();
    await this.#connecting.catch(() => undefined);
  }
}
