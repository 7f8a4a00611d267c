import type { ErrorName, MailboxId } from '@openmesh/protocol';
import type { MailboxRecord } from '../../store/ledger/registry.ts';
import { type DeliveryRefusal, type DeliveryRequest, findAddressed, objectionTo } from '../permissions.ts';
import type { RegistrySnapshot } from '../snapshot.ts';
import { applyRules, type Ruled } from './apply-rules.ts';

/** It goes to `mailbox`, with the copies and steps of rules. Its sender knows `addressed` only. */
export interface RouteDelivery extends Omit<Ruled, 'redirectFailed'> {
  readonly kind: 'deliver';
  readonly addressed: MailboxRecord;
  /** The workflow is on its way out: the sender may be told. */
  readonly deprecated: boolean;
}

/** It is accepted, goes nowhere, and its sender gets a report. */
export interface RouteReport {
  readonly kind: 'report';
  readonly error: ErrorName;
  readonly detail: string;
  readonly addressed: MailboxRecord;
}

export type RouteOutcome = RouteDelivery | RouteReport | DeliveryRefusal;

/**
 * Where a message goes. Pure but for the rules' clock. In this order: the mailbox addressed, permission to send to it,
 * redirects, else copies. The sender is never held against where rules take it: the rule is the authority for that.
 *
 * A mailbox that is not active takes nothing, but what a redirect takes from it goes on. Where such a redirect cannot be
 * followed the sender gets a report that the mailbox is deactivated.
 */
export function decideRoute(snapshot: RegistrySnapshot, request: DeliveryRequest): RouteOutcome {
  const found = findAddressed(snapshot, request);
  if (found.kind === 'refuse') return found;
  const { mailbox: addressed } = found;
  const { sender, workflowId, totalChunks, rules } = request;
  const nowMs = rules.now();
  const message = { sender, mailbox: addressed, workflowId, totalChunks, isReport: false };
  const inactive: DeliveryRefusal = {
    kind: 'refuse',
    error: 'unregistered-recipient',
    detail: `mailbox ${addressed.mailboxId} is ${addressed.state}`,
  };
  if (addressed.state !== 'active') {
    const subject = { ...message, recipient: addressed.mailboxId };
    if (snapshot.rules.redirect(subject, nowMs) === undefined) return inactive;
  }
  const objection = objectionTo(snapshot, request, addressed);
  if (objection !== undefined) return { kind: 'refuse', ...objection };
  const { redirectFailed, ...ruled } = applyRules(snapshot, message, nowMs);
  if (ruled.mailbox.state !== 'active') {
    if (!redirectFailed) return inactive;
    const detail = `${inactive.detail} and its redirect leads nowhere`;
    return { kind: 'report', error: 'not-collected-mailbox-deactivated', detail, addressed };
  }
  const deprecated = snapshot.workflow(workflowId)?.status === 'deprecated';
  return { kind: 'deliver', addressed, deprecated, ...ruled };
}

/**
 * What rules that include reports do to one; undefined when its mailbox is unknown, or none of them matches. It goes to its
 * mailbox whatever that mailbox's state.
 */
export function decideReport(
  snapshot: RegistrySnapshot,
  report: { readonly recipient: MailboxId | null; readonly workflowId: string },
  nowMs: number,
): Omit<RouteDelivery, 'kind' | 'deprecated'> | undefined {
  if (snapshot.rules.size === 0 || report.recipient === null) return undefined;
  const addressed = snapshot.mailbox(report.recipient);
  if (addressed === undefined) return undefined;
  const message = { sender: null, mailbox: addressed, workflowId: report.workflowId, totalChunks: 0, isReport: true };
  const { redirectFailed: _failed, ...ruled } = applyRules(snapshot, message, nowMs);
  return ruled.steps.length === 0 ? undefined : { addressed, ...ruled };
}
