import type { MailboxId, MessageId } from '@openmesh/protocol';

/** A named use of workflows. Members send and receive by their part: see `MembershipRecord`. */
export interface WorkflowGroupRecord {
  readonly groupId: string;
  /** As published; null where it is not. */
  readonly number: number | null;
  readonly name: string;
  readonly description: string;
  readonly owner: string;
  /** Its workflows pass only between mailboxes registered for them. */
  readonly restricted: boolean;
  readonly initiatorIds: readonly string[];
  readonly responderIds: readonly string[];
}

export type GroupPart = 'initiator' | 'responder';

/**
 * A mailbox's part in a group: an initiator sends the initiator ids and receives the responder ids, a responder the
 * other way round. Both parts are two records.
 */
export interface MembershipRecord {
  readonly mailboxId: MailboxId;
  readonly groupId: string;
  readonly part: GroupPart;
  /** The approval it rests on; without effect on restricted workflows when that is not in force. null: none is named. */
  readonly approvalId: string | null;
  readonly validFromMs: number;
  readonly validToMs: number | null;
}

/** An organisation may receive a restricted workflow, also by copy or redirect. Always ends. */
export interface ApprovalRecord {
  readonly approvalId: string;
  readonly odsCode: string;
  readonly workflowId: string;
  readonly approvedBy: string;
  readonly reason: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly reviewOnMs: number;
}

export type RuleAction = 'copy' | 'redirect';

/**
 * - proposed: has no effect until somebody else approves it.
 * - approved: in force between its dates.
 * - superseded: a later version was approved; in force until that one begins.
 * - refused: never had effect.
 * - ended: has no more effect, whatever its dates.
 */
export type RuleStatus = 'proposed' | 'approved' | 'superseded' | 'refused' | 'ended';

/** Who asked for a rule, who agreed, and why: kept with it and shown, never decided on by a message. */
export interface RulePapers {
  readonly reason: string;
  readonly lawfulBasis: string;
  readonly requestedBy: string;
  /** Reference of the agreement of the organisation whose messages are copied or redirected. */
  readonly agreedByRecipient: string;
  readonly agreedByTarget: string;
  /** Why the sender may get copies of its own messages; '' means it may not. */
  readonly senderReason: string;
  readonly proposedBy: string;
  readonly proposedAtMs: number;
  readonly decidedBy: string;
  readonly decidedAtMs: number | null;
}

/** One version of a rule. A condition of null is not asked; all others must match. */
export interface RuleRecord {
  readonly ruleId: string;
  readonly version: number;
  readonly action: RuleAction;
  readonly status: RuleStatus;
  readonly target: MailboxId;
  readonly ifSender: MailboxId | null;
  readonly ifRecipient: MailboxId | null;
  readonly workflowId: string | null;
  readonly includeReports: boolean;
  readonly approvalId: string | null;
  /** A redirect that leads to another redirect was meant to. */
  readonly chainConfirmed: boolean;
  /** The requester knows which copies are made again when the redirect ends. */
  readonly fallbackConfirmed: boolean;
  readonly activeFromMs: number;
  readonly activeToMs: number | null;
  readonly reviewOnMs: number;
  readonly papers: RulePapers;
}

export type RouteStepKind = 'redirected' | 'copied' | 'redirect-skipped' | 'copy-skipped';

/** What a rule did to a message, or why it did nothing. Kept as long as the message's record. */
export interface RouteStep {
  readonly kind: RouteStepKind;
  readonly ruleId: string;
  readonly ruleVersion: number;
  /** The conditions that matched: 'recipient', 'sender+workflow', … */
  readonly matched: string;
  readonly from: MailboxId;
  readonly to: MailboxId;
  /** Why a step was skipped; '' otherwise. */
  readonly why: string;
  readonly copyId: MessageId | null;
}

/** How a message came to be where it is, when that is not simply because it was sent there. */
export interface RoutingFacts {
  /** The mailbox it was addressed to; null when that is its recipient. */
  readonly addressedTo: MailboxId | null;
  /** Of a copy or a resend: what it was made from. */
  readonly made: { readonly as: MadeAs; readonly from: MessageId; readonly origin: MessageId } | null;
  readonly steps: readonly RouteStep[];
}

export type MadeAs = 'copy' | 'resend';
