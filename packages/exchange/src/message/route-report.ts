import type { MessageId } from '@openmesh/protocol';
import type { Registry } from '../mailbox/registry.ts';
import { decideReport } from '../mailbox/routing/decide-route.ts';
import type { NewMessage } from '../store/ledger/messages.ts';
import type { PrivateTexts, TextSealer } from './private-texts.ts';
import { routeByRules } from './routed.ts';

/** The report, as rules that include reports make it, and its copies. The first is the report itself. */
export type RouteReport = (report: NewMessage, texts: PrivateTexts) => readonly [NewMessage, ...NewMessage[]];

/** Decides on the registry as it stands: nobody waits for a report, so none is refused because a rule changed. */
export function createRouteReport(parts: {
  readonly registry: Pick<Registry, 'current'>;
  readonly sealer: TextSealer;
  readonly newMessageId: () => MessageId;
  readonly nowMs: () => number;
}): RouteReport {
  return (report, texts) => {
    const decision = decideReport(parts.registry.current(), report, parts.nowMs());
    const routed = decision === undefined ? undefined : routeByRules(parts, decision, report, texts);
    if (routed === undefined) return [report];
    return [{ ...report, recipient: routed.recipient, routing: routed.routing }, ...routed.copies];
  };
}
