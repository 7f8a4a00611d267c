import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeshClient } from './mesh-client.ts';

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'packages/exchange/src/cli/main.ts');
const sharedKey = 'kit-shared-key';
const password = 'kit-password';

/**
 * A folder in which a live exchange keeps its ledger and bodies, on a loopback address without TLS: the live rules in
 * everything that matters to durability, and no time spent on handshakes.
 */
export class ExchangeFolder {
  /** The folder of the data; it may be exchanged for another image of it. */
  readonly data: string;
  readonly #keyFile: string;

  readonly #ledger: string;

  /** `ledger` is where the records are kept when that is not in the folder. */
  constructor(home: string, data = join(home, 'data'), ledger = `sqlite:${join(data, 'ledger.sqlite')}`) {
    this.data = data;
    this.#ledger = ledger;
    this.#keyFile = join(home, 'secret-key');
    mkdirSync(home, { recursive: true });
    writeFileSync(this.#keyFile, `${'5e'.repeat(32)}\n`, { mode: 0o600 });
  }

  get env(): Record<string, string> {
    return {
      OPENMESH_PROFILE: 'live',
      OPENMESH_TLS: 'off',
      OPENMESH_MACHINES_HOST: '127.0.0.1',
      OPENMESH_MACHINES_PORT: '0',
      OPENMESH_OPERATORS_PORT: '0',
      OPENMESH_SHARED_KEY: sharedKey,
      OPENMESH_SECRET_KEY_FILE: this.#keyFile,
      OPENMESH_LEDGER: this.#ledger,
      OPENMESH_BODIES: `file:${join(this.data, 'bodies')}`,
      OPENMESH_DISK_RESERVE_BYTES: '0',
      OPENMESH_THROTTLE_REQUESTS_PER_SECOND: '0',
    };
  }

  /** Adds mailboxes by the exchange's own command, under `env` where a shim is to watch. */
  addMailboxes(ids: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const entries = ids.flatMap((mailboxId) => [
      { kind: 'mailbox', mailboxId, name: mailboxId, odsCode: 'X26' },
      { kind: 'credential', mailboxId, password },
    ]);
    execFileSync(process.execPath, [program, 'import', '-'], {
      env: { ...this.env, ...env },
      input: entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
      stdio: 'pipe',
    });
  }

  /** What an admin command on this folder prints. Throws when it fails. */
  command(...args: readonly string[]): string {
    return execFileSync(process.execPath, [program, ...args], { env: this.env, encoding: 'utf8' });
  }

  client(url: string, mailboxId: string): MeshClient {
    return new MeshClient({ url, mailboxId, password, sharedKey, timeoutMs: 30_000 });
  }
}
