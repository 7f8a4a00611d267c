import { utimesSync } from 'node:fs';
import { hostSurroundings } from '@openmesh/exchange/cli/admin-session.ts';
import { createKeysCommand } from '@openmesh/exchange/cli/keys.ts';
import { openForAdmin } from '@openmesh/exchange/compose/open-for-admin.ts';
import type { ExchangeInProcess } from './running-exchange.ts';

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface KeyLine {
  readonly keyId: string;
  readonly line: number | null;
  readonly payloads: number;
  readonly texts: number;
  readonly secrets: number;
}

/** `keys …` as another process beside a running exchange runs it. */
export class KeysCommand {
  readonly keyFile: string;
  /** What `keys drop` does in place of waiting until the file has settled: refuses, for most tests let it settle before. */
  whileWaiting: (ms: number) => Promise<void> = () => Promise.reject(new Error('nobody should wait'));
  readonly #exchange: ExchangeInProcess;

  constructor(exchange: ExchangeInProcess) {
    this.#exchange = exchange;
    this.keyFile = exchange.rooms.config.secretKey.file;
  }

  /** The settings of another process beside the running exchange. */
  get env(): Record<string, string> {
    return {
      OPENMESH_TLS: 'off',
      OPENMESH_MACHINES_HOST: '127.0.0.1',
      OPENMESH_SHARED_KEY: 'k',
      OPENMESH_SECRET_KEY_FILE: this.keyFile,
      OPENMESH_LEDGER: `sqlite:${this.#exchange.ledgerFile}`,
      OPENMESH_BODIES: `file:${this.#exchange.bodiesFolder}`,
    };
  }

  async run(...args: readonly string[]): Promise<Ran> {
    const [out, err]: [string[], string[]] = [[], []];
    const io = {
      stdout: (text: string) => void out.push(text),
      stderr: (text: string) => void err.push(text),
      env: this.env,
    };
    const command = createKeysCommand(openForAdmin, hostSurroundings, (ms) => this.whileWaiting(ms));
    return { status: await command.run(args, io), out: out.join(''), err: err.join('') };
  }

  async answer(...args: readonly string[]): Promise<Record<string, unknown>> {
    const ran = await this.run(...args, '--json');
    return { status: ran.status, ...(JSON.parse(ran.out) as object) };
  }

  async listed(): Promise<readonly KeyLine[]> {
    return (await this.answer('list'))['keys'] as readonly KeyLine[];
  }

  /** As if the file had last been changed at another time, in hours from now: `keys drop` waits for a young one. */
  dateFile(hours: number): void {
    const at = Date.now() / 1000 + hours * 3600;
    utimesSync(this.keyFile, at, at);
  }
}
