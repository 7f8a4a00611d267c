import type { Config } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import type { Clockwork } from '../jobs/clockwork.ts';
import { createRegistry, type Registry } from '../mailbox/registry.ts';
import type { Sealer } from '../mailbox/sealer.ts';
import type { RegistrySnapshot } from '../mailbox/snapshot.ts';
import type { Bodies } from '../store/bodies.ts';
import type { FileSystem } from '../store/disk/file-system.ts';
import type { Ledger } from '../store/ledger.ts';
import { createServiceClock, type MachineClock, type MovableServiceClock } from './clocks.ts';
import { composeClockwork } from './clockwork.ts';
import { composeHall, type Hall } from './hall.ts';
import { openBodies, openLedger, openSealer, type StoreHooks } from './stores.ts';

/** The rooms of a running exchange behind its doors; the sandbox's own routes are built from them. */
export interface Rooms {
  readonly config: Config;
  readonly log: Log;
  readonly machineClock: MachineClock;
  readonly ledger: Ledger;
  readonly bodies: Bodies;
  readonly sealer: Sealer;
  readonly registry: Registry;
  readonly hall: Hall;
  readonly clock: MovableServiceClock;
  readonly clockwork: Clockwork;
}

/** Steps that take back what was opened, run last first. */
export type Undo = (() => Promise<unknown>)[];

export interface RoomsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly machineClock: MachineClock;
  readonly fileSystem: FileSystem | undefined;
  readonly hooks: StoreHooks;
  readonly expired: (count: number) => void;
  readonly onReload: (snapshot: RegistrySnapshot) => void;
}

/** Opens the stores and builds what stands on them; what was opened is noted in `undo` as it goes. */
export async function composeRooms(options: RoomsOptions, undo: Undo): Promise<Rooms> {
  const { config, log, machineClock, hooks } = options;
  const sealer = openSealer(config);
  const ledger = await openLedger(config, hooks);
  undo.push(() => ledger.close());
  const bodies = await openBodies(config, machineClock, hooks, options.fileSystem);
  undo.push(() => bodies.close());
  const clock = await createServiceClock(machineClock, ledger.jobs, config.movableClock);
  const registry = createRegistry({ ledger: ledger.registry, unseal: sealer.open, onReload: options.onReload });
  await registry.reload();
  const hall = composeHall({ config, ledger, bodies, registry, sealer, clock });
  const clockwork = composeClockwork({
    config,
    ledger,
    bodies,
    expire: hall.expire,
    clock,
    machineClock,
    expired: options.expired,
    failed: (job, error) => log.error('job-failed', error, { job }),
  });
  return { config, log, machineClock, ledger, bodies, sealer, registry, hall, clock, clockwork };
}
