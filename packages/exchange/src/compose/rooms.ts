import type { Config } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import { createFaultScript, type FaultScript } from '../http/scripted-faults.ts';
import type { Clockwork } from '../jobs/clockwork.ts';
import { type KeysAtHand, serveKeys } from '../keys/keys-at-hand.ts';
import { createPayloadKeys, type PayloadKeys } from '../keys/payload-keys.ts';
import { isValidAt } from '../mailbox/registered.ts';
import { createRegistry, type Registry } from '../mailbox/registry.ts';
import { type Sealer, sealWithKeys } from '../mailbox/sealer.ts';
import type { RegistrySnapshot } from '../mailbox/snapshot.ts';
import type { Resolution } from '../message/resolve-gp.ts';
import type { Bodies } from '../store/bodies.ts';
import type { FileSystem } from '../store/disk/file-system.ts';
import type { Ledger } from '../store/ledger.ts';
import { createServiceClock, type MachineClock, type MovableServiceClock } from './clocks.ts';
import { composeClockwork } from './clockwork.ts';
import type { DirectoryNotes } from './directory.ts';
import { withDuplicates } from './duplicates.ts';
import { composeHall, type Hall } from './hall.ts';
import { requireMatchingKeys } from './match-keys.ts';
import { openServices, type Services } from './services.ts';
import { StartRefusal } from './start-refusal.ts';
import { openBodies, openKeys, openLedger, type StoreHooks } from './stores.ts';
import { openTraces, type Traces } from './traces.ts';

/** The rooms of a running exchange behind its doors; the sandbox's own routes are built from them. */
export interface Rooms {
  readonly config: Config;
  readonly log: Log;
  readonly machineClock: MachineClock;
  readonly ledger: Ledger;
  readonly bodies: Bodies;
  readonly sealer: Sealer;
  readonly payloadKeys: PayloadKeys;
  /** What both stand on. */
  readonly keys: KeysAtHand;
  readonly registry: Registry;
  readonly hall: Hall;
  readonly clock: MovableServiceClock;
  readonly clockwork: Clockwork;
  readonly services: Services;
  /** What goes wrong by script; undefined where there are no administration routes. */
  readonly faults: FaultScript | undefined;
  /** undefined where no collector is set. */
  readonly traces: Traces | undefined;
}

/** What the sandbox puts between the rooms. */
export interface Surroundings {
  /** Around the record book: a mirror of it, or a lid on it. */
  readonly aroundLedger?: (ledger: Ledger) => Ledger;
  /** Around the moves of a message's life: hooks. */
  readonly aroundHall?: (hall: Hall) => Hall;
}

/** Steps that take back what was opened, run last first. */
export type Undo = (() => Promise<unknown>)[];

export interface RoomsOptions extends Surroundings {
  readonly config: Config;
  readonly log: Log;
  readonly machineClock: MachineClock;
  readonly fileSystem: FileSystem | undefined;
  readonly hooks: StoreHooks;
  readonly expired: (count: number) => void;
  readonly directoryNotes: DirectoryNotes;
  readonly routed: (resolution: Resolution) => void;
  readonly onReload: (snapshot: RegistrySnapshot) => void;
}

/** Without a key nobody could speak to the exchange, and everybody would be told that their token is wrong. */
function assertSharedKey({ tokens }: Config, snapshot: RegistrySnapshot, clock: MachineClock): void {
  const isThere = tokens.sharedKeys.length > 0 || snapshot.sharedKeys().some((key) => isValidAt(key, clock.nowMs()));
  if (isThere || tokens.authMode !== 'full') return;
  const say = 'there is no valid shared key: make one with "openmesh-exchange shared-key add"';
  throw new StartRefusal(`OPENMESH_SHARED_KEY_PLACE=ledger, and ${say}`);
}

/** Opens the stores and builds what stands on them; what was opened is noted in `undo` as it goes. */
export async function composeRooms(options: RoomsOptions, undo: Undo): Promise<Rooms> {
  const { config, log, machineClock, hooks } = options;
  const keys = openKeys(config, machineClock);
  const sealer = sealWithKeys(keys);
  const payloadKeys = createPayloadKeys(serveKeys(keys), config.bodies.encrypts);
  const book = await openLedger(config, hooks);
  undo.push(() => book.close());
  await requireMatchingKeys(keys, book.registry, config.secretKey.file);
  const traces = await openTraces(config, {
    log,
    machineClock,
    workflowOf: (id) => registry.current().workflow(id)?.workflowId,
  });
  undo.push(async () => traces?.close());
  const surrounded = options.aroundLedger?.(book) ?? book;
  const ledger = traces?.aroundLedger(surrounded) ?? surrounded;
  const bodies = await openBodies(config, machineClock, hooks, options.fileSystem);
  undo.push(() => bodies.close());
  const clock = await createServiceClock(machineClock, ledger.jobs, config.movableClock);
  const registry = createRegistry({ ledger: ledger.registry, unseal: sealer.open, onReload: options.onReload });
  assertSharedKey(config, await registry.reload(), machineClock);
  const services = await openServices(config, machineClock, (event) => log.warn(event));
  undo.push(async () => services.close());
  const faults = config.adminRoutes ? createFaultScript() : undefined;
  const plainHall = composeHall({ config, ledger, bodies, registry, sealer, payloadKeys, clock, services });
  const faultyHall = faults === undefined ? plainHall : withDuplicates(plainHall, faults);
  const hall = options.aroundHall?.(faultyHall) ?? faultyHall;
  const clockwork = composeClockwork({
    config,
    log,
    registry,
    ledger,
    bodies,
    hall,
    clock,
    machineClock,
    expired: options.expired,
    services,
    directoryNotes: options.directoryNotes,
    routed: options.routed,
    failed: (job, error) => log.error('job-failed', error, { job }),
  });
  const stores = { ledger, bodies, sealer, payloadKeys, keys };
  return { config, log, machineClock, ...stores, registry, hall, clock, clockwork, services, faults, traces };
}
