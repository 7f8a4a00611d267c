import { constants, randomBytes } from 'node:crypto';
import { createServer as createPlainServer, type Server as PlainServer } from 'node:net';
import { createServer as createSecureServer, type SecureContextOptions, type Server as SecureServer } from 'node:tls';
import { stampFiles } from './file-stamp.ts';
import { deriveTicketKeys } from './ticket-keys.ts';
import { TlsFault } from './tls-fault.ts';
import { readTlsMaterial, type TlsFiles, type TlsMaterial } from './tls-material.ts';

/** What becomes of a caller without an acceptable certificate: refused in the handshake, or answered 400 by us. */
export type UnacceptableCertificate = 'tls-alert' | 'http-400';

export type TlsSettings =
  | { readonly mode: 'off' }
  | ({ readonly mode: 'server' } & Omit<TlsFiles, 'caFile' | 'crlFile'>)
  | ({
      readonly mode: 'mutual';
      readonly caFile: string;
      readonly missingClientCertificate: UnacceptableCertificate;
    } & TlsFiles);

export interface TlsOptions {
  /** Milliseconds since 1970 of the clock that cannot be moved. */
  readonly machineClock: () => number;
  readonly ticketRotationMs?: number;
  readonly pollIntervalMs?: number;
  readonly handshakeTimeoutMs?: number;
  /** Told what came of a changed file, and of a fault that is new; not called when nothing changed. */
  readonly onReload?: (outcome: ReloadOutcome) => void;
}

type SecureSettings = Exclude<TlsSettings, { mode: 'off' }>;

export type ReloadOutcome =
  | { readonly ok: true; readonly changed: boolean }
  | { readonly ok: false; readonly fault: TlsFault };

/** Defaults of the optional settings; each is a limit named in the configuration. */
export const tlsDefaults = {
  ticketRotationMs: 12 * 3_600_000,
  pollIntervalMs: 10_000,
  handshakeTimeoutMs: 30_000,
} as const;

const ownSeedBytes = 48;
const dayMs = 86_400_000;
// A little over two polls of a client that comes every five minutes: it resumes, and a stolen ticket does not last.
const sessionLifetimeSeconds = 11 * 60;

// TLS 1.2 stays for the .NET clients that pin it; forward secrecy and authenticated encryption for all. Renegotiation
// would let a client change its certificate in mid-connection. The hybrid key exchange comes first, since what is
// recorded today must not be read when such machines exist; it costs an eighth of a handshake, for callers that offer it.
export const tlsPolicy: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384:P-521',
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  sessionIdContext: 'openmesh',
  sessionTimeout: sessionLifetimeSeconds,
};

// A caller that closes its side first still gets its answer; small answers are not held back for more.
const connectionOptions = { allowHalfOpen: true, noDelay: true } as const;

/** One that closes it before TLS is established can get none: its connection would be kept until the handshake's time is up. */
function allowHalfOpenOnceSecure(server: SecureServer): void {
  server.on('secureConnection', (socket) => {
    socket.allowHalfOpen = true;
  });
}

/**
 * The certificates a listener serves with, kept up to date for as long as it runs. A reload reads and checks every file
 * before the first server is touched; open connections keep the context they were made with, new ones get the new one.
 */
export class TlsContexts {
  readonly #settings: TlsSettings;
  readonly #options: TlsOptions;
  /** For a process that shares its sessions with nobody. */
  readonly #ownSeed = randomBytes(ownSeedBytes);
  readonly #servers = new Set<SecureServer>();
  #material: TlsMaterial | undefined;
  #stamp = '';
  #epoch = 0;
  #faultSeen: string | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Use `createTlsContexts`, which also reads the files. */
  constructor(settings: TlsSettings, options: TlsOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  get mode(): TlsSettings['mode'] {
    return this.#settings.mode;
  }

  /** A server under these contexts, not yet listening; plain TCP when the mode is `off`. */
  createServer(): PlainServer | SecureServer {
    const settings = this.#settings;
    if (settings.mode === 'off') return createPlainServer(connectionOptions);
    const server = createSecureServer({
      ...connectionOptions,
      allowHalfOpen: false,
      ...this.#contextOptions(settings, this.#loaded()),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: this.#options.handshakeTimeoutMs ?? tlsDefaults.handshakeTimeoutMs,
      requestCert: settings.mode === 'mutual',
      rejectUnauthorized: settings.mode === 'mutual' && settings.missingClientCertificate === 'tls-alert',
    });
    allowHalfOpenOnceSecure(server);
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
    return server;
  }

  /**
   * Reads the files again if any changed, and rotates the ticket keys if their time is up. A bad file leaves everything
   * as it was and is answered as a fault. Calls are served one after the other.
   */
  reload(): Promise<ReloadOutcome> {
    const turn = this.#working.then(() => this.#reloadOnce());
    // The caller of this turn hears of its failure; the next turn starts afresh.
    this.#working = turn.catch(() => undefined);
    return turn;
  }

  /** Looks for changed files every `pollIntervalMs` until `close`; the timer keeps no process alive. */
  watch(): void {
    if (this.mode === 'off' || this.#timer !== undefined || this.#closed) return;
    const tick = async (): Promise<void> => {
      await this.reload();
      this.#timer = undefined;
      this.watch();
    };
    this.#timer = setTimeout(() => void tick(), this.#options.pollIntervalMs ?? tlsDefaults.pollIntervalMs).unref();
  }

  /** Whether the loaded revocation list names the certificate; see `serialKey`. */
  isRevoked(key: string): boolean {
    return this.#material?.revocationList.serials.has(key) === true;
  }

  /** The authorities whose certificates are accepted now, PEM; none unless TLS is mutual. */
  get authorities(): readonly string[] {
    return this.#material?.ca ?? [];
  }

  /** Days, with their fraction, until the server certificate ends; undefined when the mode is `off`. */
  certificateDaysLeft(): number | undefined {
    return this.#daysUntil(this.#material?.certificateNotAfterMs);
  }

  /** Days until the revocation list must be replaced, after which no caller is accepted; undefined without a list. */
  revocationListDaysLeft(): number | undefined {
    return this.#daysUntil(this.#material?.revocationList.nextUpdateMs);
  }

  /** Stops looking for changes. Servers made here are not closed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  async #reloadOnce(): Promise<ReloadOutcome> {
    const settings = this.#settings;
    if (settings.mode === 'off') return { ok: true, changed: false };
    const stamp = await stampFiles(paths(settings));
    const epoch = this.#currentEpoch();
    const filesChanged = stamp !== this.#stamp || this.#faultSeen !== undefined;
    const firstLoad = this.#material === undefined;
    let outcome: ReloadOutcome = { ok: true, changed: filesChanged };
    if (filesChanged) {
      try {
        // Stamped before reading: what is written meanwhile shows as a change next time.
        this.#material = await readTlsMaterial(settings, this.#options.machineClock());
        this.#stamp = stamp;
      } catch (error) {
        if (!(error instanceof TlsFault)) throw error;
        outcome = { ok: false, fault: error };
      }
    }
    if ((outcome.ok && filesChanged) || epoch !== this.#epoch) this.#install(settings, epoch);
    if (!firstLoad) this.#tell(outcome);
    return outcome;
  }

  #install(settings: SecureSettings, epoch: number): void {
    this.#epoch = epoch;
    if (this.#material === undefined) return;
    const options = this.#contextOptions(settings, this.#material);
    for (const server of this.#servers) server.setSecureContext(options);
  }

  #tell(outcome: ReloadOutcome): void {
    const fault = outcome.ok ? undefined : outcome.fault.message;
    const worthTelling = fault === undefined ? outcome.ok && outcome.changed : fault !== this.#faultSeen;
    this.#faultSeen = fault;
    if (worthTelling) this.#options.onReload?.(outcome);
  }

  #contextOptions(settings: SecureSettings, material: TlsMaterial): SecureContextOptions {
    const { cert, key, ca, crl, ticketSeed: seed = this.#ownSeed } = material;
    const asked = settings.mode === 'mutual' ? settings.missingClientCertificate : settings.mode;
    const trust = [asked, ...(ca ?? []), ...(crl ?? [])];
    return {
      ...tlsPolicy,
      cert,
      key,
      ...(ca && { ca: [...ca] }),
      ...(crl && { crl: [...crl] }),
      ticketKeys: deriveTicketKeys({ seed, epoch: this.#epoch, trust }),
    };
  }

  #loaded(): TlsMaterial {
    if (this.#material === undefined) throw new Error('The TLS files must be read before a server is made.');
    return this.#material;
  }

  #currentEpoch(): number {
    return Math.floor(this.#options.machineClock() / (this.#options.ticketRotationMs ?? tlsDefaults.ticketRotationMs));
  }

  #daysUntil(timeMs: number | undefined): number | undefined {
    if (timeMs === undefined || timeMs === Number.POSITIVE_INFINITY) return undefined;
    return (timeMs - this.#options.machineClock()) / dayMs;
  }
}

/** Reads the files and answers contexts ready to make servers. Throws `TlsFault` when they cannot be served with. */
export async function createTlsContexts(settings: TlsSettings, options: TlsOptions): Promise<TlsContexts> {
  const contexts = new TlsContexts(settings, options);
  const outcome = await contexts.reload();
  if (!outcome.ok) throw outcome.fault;
  return contexts;
}

function paths(files: TlsFiles): string[] {
  const all = [files.certificateFile, files.keyFile, files.caFile, files.crlFile, files.ticketKeyFile];
  return all.filter((file) => file !== undefined);
}
