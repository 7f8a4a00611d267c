import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConnectionOptions, PostgresConnection } from './connection.ts';
import { registryChannel } from './dialect.ts';

const checkEveryMs = 5000;

/**
 * Listens for word of a new registry. Word may be lost, so it is a hint only: after each time the connection was made,
 * the hint is given once unasked. `check` is called before that, and every few seconds.
 */
export class RegistryHints {
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    options: Omit<ConnectionOptions, 'onNotice' | 'role'>,
    onHint: () => void,
    check: (connection: PostgresConnection) => Promise<void>,
  ) {
    this.#running = this.#listen({ ...options, role: 'hints', onNotice: onHint }, onHint, check);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #listen(
    options: ConnectionOptions,
    onHint: () => void,
    check: (connection: PostgresConnection) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#closing;
    const closed = once(signal, 'abort');
    while (!signal.aborted) {
      let connection: PostgresConnection | undefined;
      try {
        connection = await PostgresConnection.open(options);
        await connection.put({ sql: `listen ${registryChannel}` });
        await check(connection);
        onHint();
        while (!signal.aborted && !connection.isLost) {
          await pause(signal);
          // A database that answers nothing must not keep a node from closing.
          if (!signal.aborted) await Promise.race([check(connection), closed]);
        }
      } catch {
        // The ledger is away: whoever asks it is told; here nothing is lost, for everyone polls as well.
        await pause(signal);
      }
      await connection?.close();
    }
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await wait(checkEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
}
