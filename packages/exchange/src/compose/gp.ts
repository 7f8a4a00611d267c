import { randomUUID } from 'node:crypto';
import { findPractice } from '../mailbox/directory/practice.ts';
import { createResolveGp, type ResolveGpParts } from '../message/resolve-gp.ts';
import type { HallParts } from './hall.ts';

/** What finds a patient's practice; undefined where nobody can be asked. */
export function composeGp(
  { config, ledger, registry, sealer, clock, services }: HallParts,
  parts: Pick<ResolveGpParts, 'route' | 'routeReport' | 'newMessageId' | 'spans'>,
): ReturnType<typeof createResolveGp> | undefined {
  const { demographics } = services;
  if (demographics === undefined) return undefined;
  const { routingMsMax, routingHoursMax } = config.services;
  return createResolveGp({
    ...parts,
    messages: ledger.messages,
    resolving: ledger.resolving,
    audit: ledger.audit,
    demographics,
    practiceOf: (odsCode) => findPractice(ledger.directory, odsCode),
    registry,
    sealer,
    clock,
    newCorrelationId: randomUUID,
    routingMsMax,
    routingHoursMax,
  });
}
