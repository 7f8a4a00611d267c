import type { TraceOutcome, UnavailableReason } from '@openmesh/demographics';
import type { ErrorName } from '@openmesh/protocol';
import type { MailboxRecord } from '../store/ledger/registry.ts';

/** The practices a message may be delivered to, as the directory has them. */
export interface PracticeFacts {
  /** Codes whose mailboxes are looked for. None: the practice has closed and nobody followed it. */
  readonly codes: readonly string[];
  /** How these codes follow from the one that was traced, for the timeline; '' when it is the same. */
  readonly because: string;
}

export interface GpDelivery {
  readonly kind: 'deliver';
  readonly mailbox: MailboxRecord;
  readonly because: string;
}

export interface GpFailure {
  readonly kind: 'fail';
  readonly error: ErrorName;
  /** For the timeline, which the sender's owner may be shown: nothing of the patient. */
  readonly detail: string;
}

/** Nothing is known yet: to be asked again. */
export interface GpHold {
  readonly kind: 'hold';
  readonly reason: UnavailableReason;
  readonly retryAfterMs: number | null;
}

/** What a trace means for the message, before any practice is looked at: undefined when a practice was found. */
export function failureOf(outcome: TraceOutcome): GpFailure | GpHold | undefined {
  switch (outcome.kind) {
    case 'found':
      return undefined;
    case 'no-practice':
    // The words must not tell a restricted record from one without a practice.
    case 'restricted':
      return { kind: 'fail', error: 'no-gp-mailbox', detail: 'no practice was found for the patient' };
    case 'mismatch':
      return { kind: 'fail', error: 'demographics-mismatch', detail: 'date of birth or surname is another' };
    case 'not-found':
      return { kind: 'fail', error: 'nhs-number-not-found', detail: 'the number is not known' };
    case 'invalid-number':
      return { kind: 'fail', error: 'invalid-nhs-number', detail: 'the service does not take the number for one' };
    case 'unavailable':
      return { kind: 'hold', reason: outcome.reason, retryAfterMs: outcome.retryAfterMs };
  }
}

/** Exactly one mailbox of the practice may take the workflow; none and several are told apart. */
export function chooseMailbox(
  { codes, because }: PracticeFacts,
  respondersOf: (odsCode: string) => readonly MailboxRecord[],
): GpDelivery | GpFailure {
  const found = new Map(codes.flatMap(respondersOf).map((mailbox) => [mailbox.mailboxId, mailbox]));
  const [mailbox] = found.values();
  if (mailbox === undefined) {
    const detail = codes.length === 0 ? because : 'the practice has no mailbox for the workflow';
    return { kind: 'fail', error: 'no-gp-mailbox', detail };
  }
  if (found.size > 1) {
    const detail = `the practice has ${found.size} mailboxes for the workflow`;
    return { kind: 'fail', error: 'too-many-gp-mailboxes', detail };
  }
  return { kind: 'deliver', mailbox, because };
}
