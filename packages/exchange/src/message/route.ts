import type { MailboxId } from '@openmesh/protocol';
import type { DeliveryRules } from '../mailbox/permissions.ts';
import type { Registry } from '../mailbox/registry.ts';
import { decideRoute, type RouteOutcome } from '../mailbox/routing/decide-route.ts';

/** Snapshots a decision may be taken on again before the registry is said to be too busy. */
const decisionsMax = 8;

export interface RouteRequest {
  readonly sender: MailboxId;
  readonly to: string;
  readonly toMailbox: MailboxId | undefined;
  readonly workflowId: string;
  readonly totalChunks: number;
  /** Bytes of the message as far as they are known; left out when they are not. */
  readonly sizeBytes?: number;
}

/** Accepted, but its recipient is yet to be found: by the address of a patient, which is personal. */
export interface ToResolve {
  readonly kind: 'resolve';
  readonly address: string;
}

export type Decision = (RouteOutcome | ToResolve) & {
  readonly registryVersion: number;
  /** What the workflow carries at most, in bytes; null or left out: the size was not asked. */
  readonly sizeBytesMax?: number | null;
};

/** Where a message goes, decided on the current snapshot. Pure but for the snapshot it reads. */
export type Route = (request: RouteRequest) => Decision;

export function createRoute(registry: Pick<Registry, 'current'>, rules: DeliveryRules): Route {
  return (request) => {
    const snapshot = registry.current();
    const sizeBytesMax = snapshot.workflow(request.workflowId)?.sizeBytesMax ?? null;
    return { ...decideRoute(snapshot, { ...request, rules }), registryVersion: snapshot.version, sizeBytesMax };
  };
}

/**
 * Decides and commits, again while the ledger answers that the registry moved in between. Throws when it keeps moving:
 * nothing was stored then, and the caller may try again.
 */
export async function decideAndCommit<R extends { readonly kind: string }>(
  registry: Pick<Registry, 'reloadIfNewer'>,
  commit: () => Promise<R | { readonly kind: 'stale'; readonly version: number }>,
): Promise<Exclude<R, { readonly kind: 'stale' }>> {
  for (let attempt = 0; attempt < decisionsMax; attempt += 1) {
    const outcome = await commit();
    if (!isStale(outcome)) return outcome as Exclude<R, { readonly kind: 'stale' }>;
    await registry.reloadIfNewer(outcome.version);
  }
  throw new RegistryTooBusy();
}

function isStale(outcome: { readonly kind: string }): outcome is { readonly kind: 'stale'; readonly version: number } {
  return outcome.kind === 'stale';
}

export class RegistryTooBusy extends Error {
  constructor() {
    super(`the registry changed ${decisionsMax} times while one message was being accepted`);
    this.name = 'RegistryTooBusy';
  }
}
