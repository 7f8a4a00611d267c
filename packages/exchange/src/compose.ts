import { setTimeout as pause } from 'node:timers/promises';
import type { Router } from './api/machines/routes.ts';
import { type MachineClock, systemClock } from './compose/clocks.ts';
import { createDirectoryNotes } from './compose/directory.ts';
import { composeMachines, type Machines } from './compose/machines.ts';
import { composeProbes } from './compose/probes.ts';
import { composeRooms, type Rooms, type Surroundings, type Undo } from './compose/rooms.ts';
import { createRoutingNotes } from './compose/routing-notes.ts';
import { composeSandboxRoutes, type SandboxStore } from './compose/sandbox.ts';
import { startTimers } from './compose/timers.ts';
import type { Config } from './config/config.ts';
import type { Log } from './http/log.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { startOperatorsListener } from './http/operators-listener.ts';
import { createRefusalNotes } from './http/refusals.ts';
import type { ShutdownOutcome } from './http/shutdown.ts';
import type { RegistrySnapshot } from './mailbox/snapshot.ts';
import type { FileSystem } from './store/disk/file-system.ts';
import { LedgerFileLost } from './store/ledger.ts';
import { version } from './version.ts';

export type { Rooms } from './compose/rooms.ts';

/** What a test may put in place of the real thing: time, and the disk's behaviour. */
export interface Substitutes {
  readonly machineClock?: MachineClock;
  readonly fileSystem?: FileSystem;
}

export interface ComposeOptions extends Surroundings {
  readonly config: Config;
  readonly log: Log;
  /** The ledger broke: the process must end, and recover at its next start. */
  readonly onBroken: (reason: string) => void;
  /** Addresses in front of the others; where the configuration has administration routes, those unless given. */
  readonly extraRoutes?: (rooms: Rooms) => Router;
  /** What the administration's reset does besides emptying the ledger. */
  readonly sandboxStore?: SandboxStore;
  /** Called when the rooms stand and before anybody may enter: fixtures go in here. */
  readonly beforeListening?: (rooms: Rooms) => Promise<void>;
  readonly substitutes?: Substitutes;
}

export interface RunningExchange {
  readonly rooms: Rooms;
  readonly machinesPort: number;
  readonly operatorsPort: number;
  /** Writes what is gathered between two ticks of the clock: refusals, and facts of collection. */
  flush(): Promise<void>;
  /** Finishes what is in flight within the limit, then lets go of everything; a second call cuts requests off at once. */
  stop(): Promise<StopOutcome>;
}

export interface StopOutcome extends ShutdownOutcome {
  /** False: something would not let go, such as a database that answers nothing, and would keep the process. */
  readonly letGo: boolean;
}

const flushEveryMs = 1000;
const registryPollMs = 1000;
/** Letting go may take what the requests left of the limit, and this at least. */
const letGoMsMin = 10_000;
/** A key that was put into the file is at hand, and one that was put first in use, after so long at most. */
const readKeysMs = 5000;

/** Builds an exchange from its configuration and opens its doors. Rejects, leaving nothing open, when it cannot. */
export async function startExchange(options: ComposeOptions): Promise<RunningExchange> {
  const undo: Undo = [];
  try {
    return await build(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    options.log.error('start-failed', error, { profile: options.config.profile });
    throw error;
  }
}

/** What the stores tell while they run, to parts that are built after them. */
interface Wires {
  broken: boolean;
  ledgerFileLost: boolean;
  metrics: Metrics | undefined;
  machines: Machines | undefined;
  pollRegistry: (() => void) | undefined;
}

const unwired: Wires = {
  broken: false,
  ledgerFileLost: false,
  metrics: undefined,
  machines: undefined,
  pollRegistry: undefined,
};

async function build(options: ComposeOptions, undo: Undo): Promise<RunningExchange> {
  const { config, log, aroundLedger, aroundHall } = options;
  const around = { ...(aroundLedger && { aroundLedger }), ...(aroundHall && { aroundHall }) };
  const machineClock = options.substitutes?.machineClock ?? systemClock;
  const wires: Wires = { ...unwired };
  const rooms = await composeRooms(
    { config, log, machineClock, ...around, ...listenTo(wires, options, machineClock) },
    undo,
  );
  const { ledger, bodies, hall, registry } = rooms;
  await options.beforeListening?.(rooms);
  const refusals = createRefusalNotes(ledger.refusals, machineClock);
  const metrics = createMetrics(
    { version, buildLabel: config.environment.buildLabel, profile: config.profile },
    {
      ledgerCommandsWaiting: () => ledger.waiting(),
      connectionsOpen: () => wires.machines?.shutdown.connections,
      diskFreeBytes: () => bodies.freeBytes(),
      certificateDaysLeft: () => wires.machines?.contexts.certificateDaysLeft(),
      logLinesDropped: () => log.linesDropped,
      traceSpans: () => rooms.traces?.counts ?? {},
    },
  );
  wires.metrics = metrics;
  wires.pollRegistry = () => void registry.poll().catch((error: unknown) => log.error('registry-poll-failed', error));
  undo.push(async () => metrics.close());
  const extraRoutes = options.extraRoutes?.(rooms) ?? composeSandboxRoutes(rooms, options.sandboxStore);
  const machines = await composeMachines({ ...rooms, refusals, metrics, extraRoutes }, undo);
  wires.machines = machines;
  const { shutdown, contexts, server } = machines;
  const machinesPort = await server.listen(config.machines.host, config.machines.port);
  undo.push(() => shutdown.stop());
  const probes = composeProbes({ ledger, bodies, state: wires, isStopping: () => shutdown.stopping });
  const operators = await startOperatorsListener({ ...config.operators, metrics, probes, log });
  contexts.watch();
  rooms.clockwork.start();
  const flush = async (): Promise<void> => {
    await Promise.all([hall.collection.flush(), refusals.flush(), rooms.traces?.flush()]);
  };
  const stopTimers = startTimers(
    [
      { name: 'flush-collections', everyMs: flushEveryMs, act: () => hall.collection.flush() },
      { name: 'flush-refusals', everyMs: flushEveryMs, act: () => refusals.flush() },
      { name: 'poll-registry', everyMs: registryPollMs, act: () => registry.poll() },
      { name: 'read-keys', everyMs: readKeysMs, act: async () => rooms.keys.readAgain() },
    ],
    (job, error) => log.error('job-failed', error, { job }),
  );
  const release = async (): Promise<void> => {
    stopTimers();
    await rooms.clockwork.stop();
    await operators.stop();
    if (!wires.broken) await Promise.allSettled([hall.collection.flush(), refusals.flush()]);
    await contexts.close();
    rooms.services.close();
    await bodies.close();
    await ledger.close();
    await rooms.traces?.close();
    metrics.close();
  };
  let released: Promise<void> | undefined;
  const stop = async (): Promise<StopOutcome> => {
    rooms.faults?.clear();
    const outcome = await shutdown.stop();
    released ??= release();
    return conclude(outcome, released, options);
  };
  return { rooms, machinesPort, operatorsPort: operators.port, flush, stop };
}

/** What became of a stop, when everything is let go of or the time for that is over. */
async function conclude(
  outcome: ShutdownOutcome,
  released: Promise<void>,
  { config, log }: ComposeOptions,
): Promise<StopOutcome> {
  const limitMs = Math.max(letGoMsMin, config.shutdownMs - outcome.elapsedMs);
  if (await isDoneWithin(released, limitMs)) return { ...outcome, letGo: true };
  log.warn('not-let-go');
  return { ...outcome, ended: 'limit', letGo: false };
}

async function isDoneWithin(work: Promise<void>, limitMs: number): Promise<boolean> {
  const patience = new AbortController();
  const { signal } = patience;
  const limit = pause(limitMs, false, { signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), limit]);
  } finally {
    patience.abort();
  }
}

function listenTo(wires: Wires, { log, onBroken, substitutes }: ComposeOptions, clock: MachineClock) {
  return {
    routed: createRoutingNotes(log, clock, () => wires.metrics),
    directoryNotes: createDirectoryNotes(log, () => wires.metrics),
    fileSystem: substitutes?.fileSystem,
    hooks: {
      companions: () => wires.machines?.shutdown.requests ?? 0,
      onBatch: ({ size, tookMs }: { size: number; tookMs: number }) => wires.metrics?.ledgerCommitted(size, tookMs),
      onBroken: (reason: string) => {
        wires.broken = true;
        onBroken(reason);
      },
      onRegistryHint: () => wires.pollRegistry?.(),
      onUnsafeServer: (setting: string) =>
        log.warn('ledger-may-lose-commits', { reason: setting.replaceAll('_', '-') }),
      onLedgerFileLost: (isLost: boolean) => {
        wires.ledgerFileLost = isLost;
        if (isLost) log.error('ledger-file-removed-or-replaced', new LedgerFileLost());
        else log.warn('ledger-file-back');
      },
      onBodyFlushFailure: (reason: string) => log.error('body-flush-failed', new Error(reason)),
    },
    expired: (count: number) => wires.metrics?.messagesExpired(count),
    onReload: (snapshot: RegistrySnapshot) =>
      void wires.machines?.connections?.destroyRevoked((facts) => snapshot.isRevoked(facts.fingerprint)),
  };
}
