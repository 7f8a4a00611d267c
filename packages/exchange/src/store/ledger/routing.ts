import type { MailboxId, MessageId, MessageType } from '@openmesh/protocol';
import type { StoredState } from './message-records.ts';
import type { MadeAs, RouteStep } from './routing-records.ts';

export interface FamilyQuery {
  readonly messageId: MessageId;
  readonly limit: number;
}

/** One message of a family: the original, copies, resends, and reports about any of them. */
export interface Kin {
  readonly messageId: MessageId;
  readonly messageType: MessageType;
  readonly sender: MailboxId | null;
  /** Whose inbox it is in, or was. */
  readonly recipient: MailboxId | null;
  readonly addressedTo: MailboxId | null;
  readonly madeAs: MadeAs | null;
  readonly madeFrom: MessageId | null;
  readonly linkedMessageId: MessageId | null;
  readonly workflowId: string;
  readonly state: StoredState;
  readonly statusCode: string;
  readonly payloadId: string | null;
  readonly createdAtMs: number;
  readonly stateAtMs: number;
  readonly steps: readonly (RouteStep & { readonly atMs: number })[];
}

export interface TrafficQuery {
  /** Exclusive; the first eight digits of an id are its UTC day, so a day alone begins a walk. */
  readonly afterMessageId: string;
  /** Of this sender only. */
  readonly sender: MailboxId | null;
  /** Addressed to this mailbox only. */
  readonly addressed: MailboxId | null;
  readonly limit: number;
}

/** What a rule looks at in a message that was sent. No texts. */
export interface TrafficRecord {
  readonly messageId: MessageId;
  readonly isReport: boolean;
  readonly sender: MailboxId | null;
  readonly addressed: MailboxId | null;
  readonly workflowId: string;
  readonly totalChunks: number;
  readonly createdAtMs: number;
}

/** What is asked about the ways messages took. */
export interface RoutingLedger {
  /** A message and its whole family, in order of id, by one question; empty when the message is unknown. */
  family(query: FamilyQuery): Promise<readonly Kin[]>;
  /** In order of id. */
  traffic(query: TrafficQuery): Promise<readonly TrafficRecord[]>;
}
