import type { Server } from 'node:http';
import type { ComposedClient } from '../compose.ts';
import type { Environment } from '../config/build-config.ts';
import type { ClientConfig } from '../config/config.ts';
import { sweepFolder } from '../folders/sweep.ts';
import { journalMemoryMs } from '../journal/journal.ts';
import { JournalFault } from '../journal/schema.ts';
import { certificatesOf, warningStep } from '../observe/certificates.ts';
import type { Log } from '../observe/log.ts';
import { listenForMetrics } from '../observe/metrics-listener.ts';
import { type ClientStatus, isHealthy, type MailboxStatus, writeStatus } from '../observe/status.ts';
import { clientVersion } from '../version.ts';
import { KeyReload } from './key-reload.ts';

interface AttendantParts {
  readonly config: ClientConfig;
  readonly env: Environment;
  readonly client: ComposedClient;
  readonly log: Log;
  readonly startedMs: number;
}

const dayMs = 86_400_000;

/** What goes on beside the mailboxes: status file, heartbeat, metrics, keys and certificates, and the daily tidying. */
export class Attendant {
  readonly #parts: AttendantParts;
  readonly #timers: NodeJS.Timeout[] = [];
  /** The step of the warnings that was said last, by the name of the certificate. */
  readonly #warned = new Map<string, number | undefined>();
  #server: Server | undefined;
  #isHealthy = true;

  constructor(parts: AttendantParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    const { config, client } = this.#parts;
    if (config.metricsPort !== 0) {
      this.#server = await listenForMetrics({
        port: config.metricsPort,
        registry: client.registry,
        isHealthy: () => this.#isHealthy,
      });
    }
    const keys = new KeyReload(this.#parts);
    await keys.look();
    await this.#daily();
    await this.#writeStatus();
    this.#every(config.statusMs, async () => {
      if (await keys.look()) this.#checkCertificates(Date.now());
    });
    this.#every(config.statusMs, () => this.#writeStatus());
    this.#every(dayMs, () => this.#daily());
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  #every(ms: number, work: () => Promise<void>): void {
    const timer = setInterval(() => {
      work().catch((error: unknown) => {
        const why =
          error instanceof JournalFault ? error.message : ((error as NodeJS.ErrnoException).code ?? 'unknown');
        this.#parts.log({
          level: 'error',
          event: 'housekeeping-failed',
          component: 'DailyHouseKeeper',
          text: `Status or housekeeping failed (${why})`,
        });
      });
    }, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  async #writeStatus(): Promise<void> {
    const { config, client, startedMs } = this.#parts;
    const mailboxes: MailboxStatus[] = [];
    for (const worker of client.workers) {
      const { health } = worker;
      mailboxes.push({ health, inOut: await worker.waiting(), journal: client.journal.counts(health.mailbox) });
    }
    this.#isHealthy = isHealthy(mailboxes);
    for (const { health, inOut, journal } of mailboxes) this.#gauge(health.mailbox, inOut, journal);
    const status: ClientStatus = {
      version: clientVersion,
      pid: process.pid,
      startedAt: new Date(startedMs).toISOString(),
      writtenAt: new Date().toISOString(),
      isHealthy: this.#isHealthy,
      certificates: certificatesOf(client.credentials, Date.now()),
      mailboxes,
    };
    writeStatus(config.workPath, status);
  }

  #gauge(mailbox: string, inOut: number | undefined, { outgoing, incoming }: MailboxStatus['journal']): void {
    const { waiting } = this.#parts.client.counters;
    if (inOut !== undefined) waiting.set({ mailbox, folder: 'out' }, inOut);
    waiting.set({ mailbox, folder: 'held' }, outgoing.held ?? 0);
    waiting.set({ mailbox, folder: 'unacknowledged' }, (incoming.staged ?? 0) + (incoming.delivered ?? 0));
  }

  async #daily(): Promise<void> {
    const { config, client, log } = this.#parts;
    const nowMs = Date.now();
    client.journal.prune(nowMs - journalMemoryMs);
    this.#checkCertificates(nowMs);
    for (const { root, folders } of config.mailboxes) {
      await sweepFolder(root, folders.sent, config.sentKeepMs, nowMs);
      await sweepFolder(root, folders.failed, config.failedKeepMs, nowMs);
    }
    log({ level: 'info', event: 'housekeeping-done', component: 'DailyHouseKeeper', text: 'Daily housekeeping done' });
  }

  #checkCertificates(nowMs: number): void {
    const { config, client, log } = this.#parts;
    for (const { name, endsAt, daysLeft } of certificatesOf(client.credentials, nowMs)) {
      client.counters.certificateDays.set({ certificate: name }, daysLeft);
      const step = warningStep(daysLeft, config.certificateWarnDays);
      const isNews = step !== this.#warned.get(name);
      this.#warned.set(name, step);
      if (step === undefined || !isNews) continue;
      const text =
        daysLeft < 0
          ? `The ${name} certificate ended on ${endsAt}`
          : `The ${name} certificate ends in ${daysLeft} days, on ${endsAt}: ask for its successor now`;
      const isUrgent = daysLeft <= 14 && name === 'client';
      log({
        level: isUrgent ? 'error' : 'warn',
        event: 'certificate-ending',
        component: 'MeshClient',
        text,
        fields: { certificate: name, daysLeft },
      });
    }
  }
}
