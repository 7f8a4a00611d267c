import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { NewEvent, NewMessage, StatusFacts } from './messages.ts';

/** Ends the state 'routing' of a message; does nothing when it is in another. */
export interface ResolveCommand {
  readonly messageId: MessageId;
  /** Version of the snapshot the decision was made on; null when none was needed. */
  readonly registryVersion: number | null;
  readonly state: 'accepted' | 'error';
  /** The mailbox that was found; null when there is none. */
  readonly recipient: MailboxId | null;
  readonly status: StatusFacts;
  /** The message's texts, sealed again without the address that was resolved. */
  readonly sealed: string;
  readonly atMs: number;
  /** Set when state is 'accepted': the days of waiting begin now. */
  readonly expiresAtMs: number | null;
  readonly keepUntilMs: number;
  readonly hideAtMs: number;
  readonly removeAtMs: number;
  readonly events: readonly NewEvent[];
  /** What is made with it: a report, or copies. */
  readonly messages: readonly NewMessage[];
}

export type ResolveOutcome =
  | { readonly kind: 'resolved' | 'unchanged' | 'not-found' }
  | { readonly kind: 'stale'; readonly version: number };

/** A message that waits for its address. */
export interface RoutingMessage {
  readonly messageId: MessageId;
  readonly createdAtMs: number;
  /** When its last byte was there: what its time is counted from. */
  readonly acceptedAtMs: number;
}

export interface ResolvingLedger {
  resolve(command: ResolveCommand): Promise<ResolveOutcome>;
  /** Messages whose address is not yet resolved, oldest first, behind `after`. */
  waiting(query: {
    after: Pick<RoutingMessage, 'messageId' | 'createdAtMs'> | null;
    limit: number;
  }): Promise<readonly RoutingMessage[]>;
}
