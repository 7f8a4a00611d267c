import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { loadConfig, type Rooms, type RunningExchange, startExchange } from '@openmesh/exchange';
import type { ComposeOptions } from '@openmesh/exchange/compose.ts';
import type { Config } from '@openmesh/exchange/config/config.ts';
import { createLog } from '@openmesh/exchange/http/log.ts';
import type { TimelineEvent } from '@openmesh/exchange/store/ledger/message-records.ts';
import type { RefusalQuery, RefusalRecord } from '@openmesh/exchange/store/ledger/refusals.ts';
import { parseMessageId } from '@openmesh/protocol';
import { type TestCertificates, type TestIdentity, testCertificates } from './certificates.ts';
import { freshLedgerPlace } from './ledger-place.ts';
import { MeshClient, type MeshClientOptions } from './mesh-client.ts';
import { type RegistrySeeds, seededPassword, toRegistryChange, usualMailboxes } from './seeded-registry.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

export type Rules = 'live' | 'sandbox';

export interface RunningExchangeOptions {
  /** Profile and wire rules; live when absent. */
  readonly rules?: Rules;
  /** Mutual under the live rules and off in the sandbox when absent; 'mutual' needs the clock to stay in its day. */
  readonly tls?: 'off' | 'server' | 'mutual';
  /** The mailboxes of most scenarios when absent. */
  readonly seeds?: RegistrySeeds;
  /** Settings besides those the kit makes, and instead of them. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly fileSystem?: NonNullable<ComposeOptions['substitutes']>['fileSystem'];
}

/** Machine time that a test moves; both clocks of the exchange and the tokens of the kit's clients follow it. */
export class MovableClock {
  #offsetMs = 0;
  #frozenAtMs: number | undefined;
  #passedMs = 0;
  readonly nowMs = (): number => (this.#frozenAtMs ?? Date.now()) + this.#offsetMs;
  /** What passes whatever the clock is set to. */
  readonly elapsedMs = (): number => performance.now() + this.#passedMs;

  /** Lets time pass. */
  advance(ms: number): void {
    this.#offsetMs += ms;
    this.#passedMs += ms;
  }

  /** Sets the clock forward, or back, as a time server does with one that is wrong: no time passes. */
  set(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** Holds the clock at a moment, in milliseconds since 1970, from which `advance` still moves it. */
  freeze(atMs: number): void {
    this.#frozenAtMs = atMs;
    this.#offsetMs = 0;
  }
}

export interface ClientChoice extends Partial<MeshClientOptions> {
  /** Of the answers; 2 when absent. */
  readonly version?: 1 | 2;
  /** The certificate to present; organisation X26 when absent, none when null. */
  readonly identity?: TestIdentity | null;
  /** The only version of TLS the client speaks. */
  readonly secureVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** What every mailbox of the kit's exchange signs its tokens with. */
export const kitSharedKey = 'kit-shared-key';
const jobsMax = 100;
const closingTurns = 10;

/** The real exchange in this process on a folder of its own. Many tests may share one; stop it in `afterAll`. */
export class ExchangeInProcess implements AsyncDisposable {
  readonly clock = new MovableClock();
  readonly options: RunningExchangeOptions;
  /** What it logged, one JSON object a line; every request included. */
  readonly logLines: string[] = [];
  readonly #folder: TemporaryFolder;
  readonly #certificates: TestCertificates;
  readonly #clients = new Set<MeshClient>();
  #running: RunningExchange | undefined;
  #ledgerPlace = '';

  private constructor(options: RunningExchangeOptions, folder: TemporaryFolder, certificates: TestCertificates) {
    this.options = options;
    this.#folder = folder;
    this.#certificates = certificates;
  }

  static async start(options: RunningExchangeOptions = {}): Promise<ExchangeInProcess> {
    const folder = await temporaryFolder('exchange');
    const exchange = new ExchangeInProcess(options, folder, await testCertificates());
    writeFileSync(join(folder.path, 'secret-key'), `${'5e'.repeat(32)}\n`, { mode: 0o600 });
    mkdirSync(exchange.dataFolder);
    try {
      exchange.#ledgerPlace = await freshLedgerPlace(exchange.ledgerFile);
      await exchange.#open();
      await exchange.change(options.seeds ?? { mailboxes: usualMailboxes });
      return exchange;
    } catch (error) {
      await exchange.stop();
      throw error;
    }
  }

  get rules(): Rules {
    return this.options.rules ?? 'live';
  }

  get tls(): 'off' | 'server' | 'mutual' {
    return this.options.tls ?? (this.rules === 'live' ? 'mutual' : 'off');
  }

  get dataFolder(): string {
    return join(this.#folder.path, 'data');
  }

  get ledgerFile(): string {
    return join(this.dataFolder, 'ledger.sqlite');
  }

  get bodiesFolder(): string {
    return join(this.dataFolder, 'bodies');
  }

  get running(): RunningExchange {
    if (this.#running === undefined) throw new Error('the exchange is stopped');
    return this.#running;
  }

  get rooms(): Rooms {
    return this.running.rooms;
  }

  get port(): number {
    return this.running.machinesPort;
  }

  get url(): string {
    return `${this.tls === 'off' ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** A caller for a mailbox, closed when the exchange stops. */
  client(mailboxId: string, choice: ClientChoice = {}): MeshClient {
    const { version = 2, identity = this.#certificates.clients.x26, secureVersion, ...more } = choice;
    const tls = {
      ca: this.#certificates.authority,
      ...(secureVersion === undefined ? {} : { minVersion: secureVersion, maxVersion: secureVersion }),
      ...(identity === null || this.tls !== 'mutual' ? {} : { cert: identity.cert, key: identity.key }),
    };
    const accept = version === 1 ? null : 'application/vnd.mesh.v2+json';
    const client = new MeshClient({
      url: this.url,
      mailboxId,
      password: seededPassword,
      sharedKey: kitSharedKey,
      accept,
      tls,
      nowMs: this.clock.nowMs,
      timeoutMs: 20_000,
      ...more,
    });
    this.#clients.add(client);
    return client;
  }

  /** Changes the registry as an operator would, and lets the exchange see it at once. */
  async change(seeds: RegistrySeeds): Promise<void> {
    const { ledger, sealer, registry } = this.rooms;
    await ledger.registry.change(toRegistryChange(seeds, sealer, this.clock.nowMs()));
    await registry.reload();
  }

  /** Records of refusals, newest first, everything up to now included. */
  async refusals(query: Partial<RefusalQuery> = {}): Promise<readonly RefusalRecord[]> {
    await this.running.flush();
    return this.rooms.ledger.refusals.search({ limit: 1000, ...query });
  }

  /** What happened to a message, facts of its collection included. */
  async timeline(messageId: string): Promise<readonly TimelineEvent[]> {
    await this.running.flush();
    const { ledger, hall } = this.rooms;
    const id = parseMessageId(messageId);
    const message = id === undefined ? null : await ledger.messages.find(id);
    if (message === null) throw new Error(`there is no message ${messageId}`);
    return hall.track.timeline(message);
  }

  /** Does now what the clockwork would do in its own time, until nothing is due. */
  async runDueWork(): Promise<void> {
    const { ledger, hall, clock } = this.rooms;
    const nowMs = clock.nowMs();
    for (let round = 0; round < jobsMax; round += 1) {
      const due = await ledger.jobs.deliveriesDue({ nowMs, limit: 500 });
      for (const { messageId } of due) await hall.expire.overdue(messageId);
      if (due.length === 0) break;
    }
    const { uploadAbandonedMs } = this.rooms.config.retention;
    if (uploadAbandonedMs === undefined) return;
    const stalled = await ledger.jobs.uploadsStalled({ beforeMs: nowMs - uploadAbandonedMs, limit: 500 });
    for (const messageId of stalled) await hall.expire.abandoned(messageId);
  }

  /** Ends it as a signal would, and starts it again on the same folder, at another port: take new clients. */
  async restart(): Promise<void> {
    await this.#close();
    await this.#open();
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#close();
    await this.#folder.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #open(): Promise<void> {
    const log = createLog({ level: 'debug' }, { write: (line: string) => void this.logLines.push(line) });
    const { fileSystem } = this.options;
    this.#running = await startExchange({
      config: this.#config(),
      log,
      onBroken: (reason) => {
        throw new Error(`the ledger broke: ${reason}`);
      },
      substitutes: { machineClock: this.clock, ...(fileSystem === undefined ? {} : { fileSystem }) },
    });
  }

  async #close(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    // Connections the exchange still believes open would make it wait out its grace for idle ones.
    for (let turns = 0; turns < closingTurns; turns += 1) await turn();
    await this.#running?.stop();
    this.#running = undefined;
  }

  #config(): Config {
    const { server, authorityFile } = this.#certificates;
    const files = { OPENMESH_TLS_CERTIFICATE_FILE: server.certificateFile, OPENMESH_TLS_KEY_FILE: server.keyFile };
    const loaded = loadConfig({
      OPENMESH_PROFILE: this.rules,
      // The sandbox's own routes have their own tests; these are about the wire.
      OPENMESH_ADMIN_ROUTES: 'off',
      OPENMESH_MOVABLE_CLOCK: 'off',
      OPENMESH_TLS: this.tls,
      ...(this.tls === 'off' ? {} : files),
      ...(this.tls === 'mutual' ? { OPENMESH_TLS_CA_FILE: authorityFile } : {}),
      OPENMESH_MACHINES_HOST: '127.0.0.1',
      OPENMESH_MACHINES_PORT: '0',
      OPENMESH_OPERATORS_PORT: '0',
      ...(this.options.settings?.['OPENMESH_SHARED_KEY_PLACE'] === 'ledger'
        ? {}
        : { OPENMESH_SHARED_KEY: kitSharedKey }),
      OPENMESH_SECRET_KEY_FILE: join(this.#folder.path, 'secret-key'),
      OPENMESH_LEDGER: this.#ledgerPlace,
      OPENMESH_BODIES: `file:${this.bodiesFolder}`,
      OPENMESH_DISK_RESERVE_BYTES: '0',
      OPENMESH_THROTTLE_REQUESTS_PER_SECOND: '0',
      OPENMESH_UNAUTHENTICATED_PER_SECOND: '0',
      OPENMESH_LOOKUPS_PER_SECOND: '0',
      OPENMESH_SHUTDOWN_SECONDS: '2',
      // Servers of tests do not flush, where a test is about something else.
      OPENMESH_LEDGER_UNSAFE_SERVER: 'warn',
      ...this.options.settings,
    });
    if (!loaded.ok) throw new Error(loaded.problems.map(({ name, problem }) => `${name} ${problem}`).join('\n'));
    return loaded.config;
  }
}
