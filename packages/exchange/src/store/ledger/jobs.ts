import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { BodyRef } from '../bodies.ts';

/** A waiting message whose five days are over, with what its report needs. */
export interface DueDelivery {
  readonly mailbox: MailboxId;
  readonly messageId: MessageId;
}

/** A payload whose date has come, with the bodies that go with it. */
export interface DuePayload {
  readonly payloadId: string;
  readonly refs: readonly BodyRef[];
}

/** What the clockwork asks. Every list is bounded by the caller's limit; every deletion is harmless when repeated. */
export interface JobLedger {
  /**
   * Takes or renews a lease; true when `holder` has it until `untilMs` (machine clock). Rejects with `ClockApart` where that
   * clock is wrong.
   */
  lease(command: { name: string; holder: string; nowMs: number; untilMs: number }): Promise<boolean>;
  deliveriesDue(query: { nowMs: number; limit: number }): Promise<readonly DueDelivery[]>;
  uploadsStalled(query: { beforeMs: number; limit: number }): Promise<readonly MessageId[]>;
  payloadsDue(query: { nowMs: number; limit: number }): Promise<readonly DuePayload[]>;
  /**
   * Marks payloads as deleted and drops their chunk rows (inline bytes with them); returns those whose bodies may go. One
   * whose date was pushed on since it was listed, or that another call forgot, is not among them.
   */
  forgetPayloads(payloadIds: readonly string[], nowMs: number): Promise<readonly string[]>;
  /** Strips subject, file name and local id of records past their hiding date; returns how many. */
  hideRecords(query: { nowMs: number; limit: number }): Promise<number>;
  /** Removes records, deliveries and timelines past their removal date; returns how many messages went. */
  removeRecords(query: { nowMs: number; limit: number }): Promise<number>;
  /** Drops claims past their date; returns how many rows went. */
  sweepNonces(query: { nowMs: number; limit: number }): Promise<number>;
  sweepIdempotencyKeys(query: { nowMs: number; limit: number }): Promise<number>;
  sweepRefusals(query: { beforeMs: number; limit: number }): Promise<number>;
  /** Of these bodies, the ones a row names. */
  referencedBodies(refs: readonly BodyRef[]): Promise<ReadonlySet<BodyRef>>;
  /**
   * When this ledger was made, by the machine's clock, in milliseconds since 1970; 0 of one that does not know. Whatever is
   * older than it is of another.
   */
  madeAtMs(): Promise<number>;
  /** Offset of the service clock against the machine clock, in milliseconds. */
  clockOffset(): Promise<number>;
  setClockOffset(offsetMs: number): Promise<void>;
  /** What the engine itself wants done now and then, on one node: service clock, milliseconds. Safe to run twice. */
  upkeep(nowMs: number): Promise<void>;
}
