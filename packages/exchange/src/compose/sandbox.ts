import type { Router } from '../api/machines/routes.ts';
import { type SandboxStore, sandboxRoutes } from '../api/sandbox/routes.ts';
import type { Rooms } from './rooms.ts';

export type { SandboxStore } from '../api/sandbox/routes.ts';

/** A sandbox without fixtures: a reset empties it, and there is nothing to read again. */
const emptyStore: SandboxStore = { resettable: true, afterReset: () => Promise.resolve() };

/** The administration routes; undefined where the configuration has none. */
export function composeSandboxRoutes(rooms: Rooms, store: SandboxStore = emptyStore): Router | undefined {
  const { ledger, bodies, registry, sealer, clock, clockwork, hall, faults } = rooms;
  if (faults === undefined) return undefined;
  const { expire, reportByHand } = hall;
  const messages = ledger.messages;
  return sandboxRoutes({
    ledger: messages,
    bodies,
    registry,
    sealer,
    clock,
    clockwork,
    faults,
    expire,
    reportByHand,
    store,
  });
}
