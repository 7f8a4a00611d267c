import { setInterval } from 'node:timers';
import type { Router } from './api/machines/routes.ts';
import type { AdminSession } from './cli/admin-session.ts';
import { createServiceClock, type MachineClock, type MovableServiceClock } from './compose/clocks.ts';
import { composeClockwork } from './compose/clockwork.ts';
import { composeHall, type Hall } from './compose/hall.ts';
import { composeMachinesDoor } from './compose/machines.ts';
import { openBodies, openLedger, openSealer } from './compose/stores.ts';
import type { Config } from './config/config.ts';
import { type CertificateConnections, trackCertificateConnections } from './http/auth/certificate-connections.ts';
import type { Log } from './http/log.ts';
import { createMachinesServer, listen } from './http/machines-listener.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { startOperatorsListener } from './http/operators-listener.ts';
import { acceptProxyProtocol } from './http/proxy-protocol.ts';
import { createRefusalNotes } from './http/refusals.ts';
import { createShutdown, type ShutdownOutcome } from './http/shutdown.ts';
import { createTlsContexts } from './http/tls/context.ts';
import type { Clockwork } from './jobs/clockwork.ts';
import { createRegistry, type Registry } from './mailbox/registry.ts';
import type { Sealer } from './mailbox/sealer.ts';
import type { Bodies } from './store/bodies.ts';
import type { FileSystem } from './store/disk/file-system.ts';
import type { Ledger } from './store/ledger.ts';

export const version = '0.1.0';

/** What a test may put in place of the real thing: time, and the disk's behaviour. */
export interface Substitutes {
  readonly machineClock?: MachineClock;
  readonly fileSystem?: FileSystem;
}

/** The rooms of a running exchange that the sandbox's own routes are built from. */
export interface Rooms {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly bodies: Bodies;
  readonly registry: Registry;
  readonly sealer: Sealer;
  readonly hall: Hall;
  readonly clock: MovableServiceClock;
  readonly clockwork: Clockwork;
  readonly log: Log;
}

export interface ComposeOptions {
  readonly config: Config;
  readonly log: Log;
  /** The ledger broke: the process must end, and recover at its next start. */
  readonly onBroken: (reason: string) => void;
  /** Addresses that exist only in the sandbox profile. */
  readonly extraRoutes?: (rooms: Rooms) => Router;
  /** Called when the rooms stand and before anybody may enter: fixtures go in here. */
  readonly beforeListening?: (rooms: Rooms) => Promise<void>;
  readonly substitutes?: Substitutes;
}

export interface RunningExchange {
  readonly rooms: Rooms;
  readonly machinesPort: number;
  readonly operatorsPort: number;
  /** Finishes what is in flight within the limit, then lets go of everything; a second call ends at once. */
  stop(): Promise<ShutdownOutcome>;
}

/** Opens what an admin command works on; an exchange may be running on the same ledger. */
export async function openForAdmin(config: Config): Promise<AdminSession> {
  const sealer = openSealer(config);
  const ledger = await openLedger(config, { onBroken: () => undefined });
  return { ledger, sealer, close: () => ledger.close() };
}

const flushEveryMs = 1000;
const registryPollMs = 1000;

/** Builds an exchange from its configuration and opens its doors. Rejects, leaving nothing open, when it cannot. */
export async function startExchange(options: ComposeOptions): Promise<RunningExchange> {
  const { config, log } = options;
  const machineClock = options.substitutes?.machineClock ?? { nowMs: () => Date.now() };
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await build(options, machineClock, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    log.error('start-failed', error, { profile: config.profile });
    throw error;
  }
}

async function build(
  options: ComposeOptions,
  machineClock: MachineClock,
  undo: (() => Promise<unknown>)[],
): Promise<RunningExchange> {
  const { config, log } = options;
  const sealer = openSealer(config);
  let metrics: Metrics | undefined;
  let broken = false;
  const hooks = {
    onBatch: ({ size, tookMs }: { size: number; tookMs: number }) => metrics?.ledgerCommitted(size, tookMs),
    onBroken: (reason: string) => {
      broken = true;
      options.onBroken(reason);
    },
    onBodyFlushFailure: (reason: string) => log.error('body-flush-failed', new Error(reason)),
  };
  const ledger = await openLedger(config, hooks);
  undo.push(() => ledger.close());
  const bodies = await openBodies(config, machineClock, hooks, options.substitutes?.fileSystem);
  undo.push(() => bodies.close());
  const clock = await createServiceClock(machineClock, ledger.jobs, config.movableClock);
  let connections: CertificateConnections | undefined;
  const contexts = await createTlsContexts(config.machines.tls, {
    machineClock: machineClock.nowMs,
    onReload: (outcome) => {
      if (outcome.ok) log.info('certificates-reloaded');
      else log.error('certificates-kept', outcome.fault);
      connections?.destroyRevoked((facts) => contexts.isRevoked(facts.serialKey));
    },
  });
  undo.push(() => contexts.close());
  const registry = createRegistry({
    ledger: ledger.registry,
    unseal: sealer.open,
    onReload: (snapshot) => connections?.destroyRevoked((facts) => snapshot.isRevoked(facts.fingerprint)),
  });
  await registry.reload();
  const hall = composeHall({ config, ledger, bodies, registry, sealer, clock });
  const expired = (count: number): void => {
    if (count > 0) metrics?.messagesExpired(count);
  };
  const failed = (job: string, error: unknown): void => log.error('job-failed', error, { job });
  const { expire } = hall;
  const clockwork = composeClockwork({ config, ledger, bodies, expire, clock, machineClock, expired, failed });
  const rooms: Rooms = { config, ledger, bodies, registry, sealer, hall, clock, clockwork, log };
  await options.beforeListening?.(rooms);
  const refusals = createRefusalNotes(ledger.refusals, machineClock);
  const { profile, environment, machines } = config;
  metrics = createMetrics(
    { version, buildLabel: environment.buildLabel, profile },
    {
      ledgerCommandsWaiting: () => ledger.waiting(),
      connectionsOpen: () => shutdown.connections,
      diskFreeBytes: () => bodies.freeBytes(),
      certificateDaysLeft: () => contexts.certificateDaysLeft(),
      logLinesDropped: () => log.linesDropped,
    },
  );
  undo.push(async () => metrics?.close());
  const extraRoutes = options.extraRoutes?.(rooms);
  const shared = { config, ledger, registry, sealer, hall, clock, machineClock, contexts, refusals, log, metrics };
  const door = composeMachinesDoor({ ...shared, stopping: () => shutdown.stopping, extraRoutes });
  const server = createMachinesServer(contexts, machines, door, (socket, reason) => {
    const address = socket.remoteAddress ?? null;
    const nobody = { mailbox: null, operation: null, status: null, certificateSerial: null, correlationId: null };
    refusals.note({ ...nobody, reason, detail: 'what came could not be read as a request', address });
  });
  if (contexts.mode !== 'off') {
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: { remoteAddress?: string }) => {
      const address = socket.remoteAddress ?? null;
      const nobody = { mailbox: null, operation: null, status: null, certificateSerial: null, correlationId: null };
      refusals.note({
        ...nobody,
        reason: 'tls-failed',
        detail: `TLS was not established: ${error.code ?? 'unknown'}`,
        address,
      });
    });
    connections = trackCertificateConnections(server as Parameters<typeof trackCertificateConnections>[0]);
  }
  if (machines.proxyProtocol === 'v2') acceptProxyProtocol(server, { trusted: machines.trustedProxies });
  const shutdown = createShutdown({
    listeners: [server],
    inFlight: () => ledger.waiting(),
    limitMs: config.shutdownMs,
    log,
  });
  const machinesPort = await listen(server, machines.host, machines.port);
  undo.push(() => shutdown.stop());
  const probes = [
    {
      name: 'ledger',
      check: async () => {
        if (broken) return { ok: false, reason: 'the ledger has stopped' };
        await ledger.registry.version();
        return { ok: true };
      },
    },
    { name: 'stopping', check: async () => ({ ok: !shutdown.stopping, reason: 'the exchange is stopping' }) },
    {
      name: 'disk',
      check: async () => ({ ok: (await bodies.freeBytes()) > 0, reason: 'the reserve of the body store is reached' }),
    },
  ];
  const operators = await startOperatorsListener({ ...config.operators, metrics, probes, log });
  undo.push(() => operators.stop());
  contexts.watch();
  clockwork.start();
  const timers = startTimers(
    [
      [flushEveryMs, 'flush-collections', () => hall.collection.flush()],
      [flushEveryMs, 'flush-refusals', () => refusals.flush()],
      [registryPollMs, 'poll-registry', () => registry.poll()],
    ],
    failed,
  );

  const release = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    await clockwork.stop();
    await operators.stop();
    if (!broken) await Promise.allSettled([hall.collection.flush(), refusals.flush()]);
    await contexts.close();
    await bodies.close();
    await ledger.close();
    metrics.close();
  };
  let released: Promise<void> | undefined;
  return {
    rooms,
    machinesPort,
    operatorsPort: operators.port,
    async stop() {
      const outcome = await shutdown.stop();
      released ??= release();
      await released;
      return outcome;
    },
  };
}

/** Small repeated duties of this process; one that is still running is not started again. */
function startTimers(
  duties: readonly (readonly [everyMs: number, name: string, act: () => Promise<unknown>])[],
  failed: (name: string, error: unknown) => void,
): readonly NodeJS.Timeout[] {
  return duties.map(([everyMs, name, act]) => {
    let running = false;
    const tick = async (): Promise<void> => {
      if (running) return;
      running = true;
      try {
        await act();
      } catch (error) {
        failed(name, error);
      } finally {
        running = false;
      }
    };
    return setInterval(() => void tick(), everyMs).unref();
  });
}
