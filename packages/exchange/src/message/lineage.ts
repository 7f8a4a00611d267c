import type { MessageId } from '@openmesh/protocol';
import type { Kin, RoutingLedger } from '../store/ledger/routing.ts';

/** Messages of a family; what was made beyond them is not shown. */
const kinMax = 1000;

export interface LineageEdge {
  readonly from: MessageId;
  readonly to: MessageId;
  /** `to` is a copy of `from`, was sent again from it, or reports on it. */
  readonly kind: 'copy' | 'resend' | 'report';
}

/** How messages hang together: what was sent, what was made of it, and what tells of it. */
export interface Lineage {
  /** In order of id, so that what was sent comes first. */
  readonly messages: readonly Kin[];
  readonly edges: readonly LineageEdge[];
  readonly truncated: boolean;
}

/** The whole family of a message, whichever of them is asked for; null when it is unknown. */
export async function readLineage(
  ledger: Pick<RoutingLedger, 'family'>,
  messageId: MessageId,
): Promise<Lineage | null> {
  const found = await ledger.family({ messageId, limit: kinMax + 1 });
  if (found.length === 0) return null;
  const messages = found.slice(0, kinMax);
  const known = new Set(messages.map((kin) => kin.messageId));
  const edges = messages.flatMap((kin): readonly LineageEdge[] => {
    const { messageId: to, madeAs, madeFrom, messageType, linkedMessageId } = kin;
    const made = madeAs !== null && madeFrom !== null ? [{ from: madeFrom, to, kind: madeAs }] : [];
    const isReport = messageType === 'REPORT' && madeAs === null && linkedMessageId !== null;
    return isReport ? [...made, { from: linkedMessageId, to, kind: 'report' }] : made;
  });
  return { messages, edges: edges.filter(({ from }) => known.has(from)), truncated: found.length > kinMax };
}
