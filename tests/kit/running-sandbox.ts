import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLog, loadConfig, type RunningExchange, startExchange } from '@openmesh/exchange';
import { composeHooks, composeSandbox } from '@openmesh/sandbox/compose-sandbox.ts';
import { readSandboxSettings, translateEnvironment } from '@openmesh/sandbox/translate-environment.ts';
import { jsonOf, MeshClient, type MeshClientOptions, type MeshReply } from './mesh-client.ts';

export interface SandboxOptions {
  /** Folder of fixtures and, with the file store, of everything. */
  readonly dataFolder: string;
  /** Folder of ledger and bodies; in the data folder unless given. */
  readonly home?: string;
  /** Variables as a person would set them; ports are free ones and TLS is off unless given. */
  readonly env?: Readonly<Record<string, string>>;
}

const silence = { write: () => undefined };

/** The sandbox in this process, without its certificates and its announcement. `await using` stops it. */
export class RunningSandbox implements AsyncDisposable {
  readonly url: string;
  readonly exchange: RunningExchange;
  readonly #clients: MeshClient[] = [];
  readonly #close: () => Promise<void>;

  private constructor(exchange: RunningExchange, close: () => Promise<void>) {
    this.exchange = exchange;
    this.#close = close;
    this.url = `http://127.0.0.1:${exchange.machinesPort}`;
  }

  static async start(options: SandboxOptions): Promise<RunningSandbox> {
    const env = { SSL: 'no', PORT: '0', MAILBOXES_DATA_DIR: options.dataFolder, ...options.env };
    const args = { trueRules: false, memory: false, json: false, port: undefined };
    const { settings, problems } = readSandboxSettings(env, args);
    const home = options.home ?? join(options.dataFolder, '.openmesh');
    mkdirSync(home, { recursive: true });
    const { values } = translateEnvironment(env, args, { home, makesCertificate: false });
    const loaded = loadConfig({ OPENMESH_DISK_RESERVE_BYTES: '0', ...values });
    if (problems.length > 0 || !loaded.ok) {
      throw new Error(JSON.stringify([...problems, ...(loaded.ok ? [] : loaded.problems)]));
    }
    const { config } = loaded;
    const log = createLog(config.log, silence);
    const { close, ...hooks } = await composeHooks(settings, log);
    const parts = { ...composeSandbox(settings, home), ...hooks };
    const exchange = await startExchange({ config, log, onBroken: () => undefined, ...parts });
    return new RunningSandbox(exchange, close);
  }

  /** A caller of a mailbox of the default fixtures. */
  client(mailboxId: string, more: Partial<MeshClientOptions> = {}): MeshClient {
    const client = new MeshClient({ url: this.url, mailboxId, password: 'password', sharedKey: 'TestKey', ...more });
    this.#clients.push(client);
    return client;
  }

  /** Administration, by anybody: no token, no content type. */
  async admin(method: string, path: string, body?: unknown, accept?: string): Promise<MeshReply> {
    const text = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const headers = accept === undefined ? {} : { Accept: accept };
    const someone = this.client('X26ABC1', { accept: null });
    return someone.requestAt(method, path, { authorization: null, headers, ...text });
  }

  /** A clean slate for the next test, as those who use the sandbox make one. */
  async reset(): Promise<void> {
    const reply = await this.admin('DELETE', '/messageexchange/admin/reset');
    this.closeClients();
    if (reply.status !== 200) throw new Error(`not reset: ${reply.body.toString()}`);
  }

  /** Moves the service clock forward; everything that has come due is done when this resolves. */
  async advance(duration: string): Promise<void> {
    const reply = await this.admin('POST', '/messageexchange/admin/clock', { advance: duration });
    if (reply.status !== 200) throw new Error(`the clock did not move: ${JSON.stringify(jsonOf(reply))}`);
  }

  /** Ends the connections of the callers handed out so far. */
  closeClients(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeClients();
    await this.exchange.stop();
    await this.#close();
  }
}
