import type { ErrorName, MailboxId } from '@openmesh/protocol';
import type { MailboxRecord } from '../store/ledger/registry.ts';
import type { RegistrySnapshot } from './snapshot.ts';

export interface DeliveryRules {
  /** What to do with a workflow the registry does not know. */
  readonly unknownWorkflows: 'accept' | 'refuse';
  /** Mailboxes that belong to the service itself; nobody sends to them. */
  readonly internalMailboxes: ReadonlySet<MailboxId>;
  /** Service clock, milliseconds: registrations have dates. */
  readonly now: () => number;
}

/** A message as far as it matters to who may send what to whom. */
export interface DeliveryRequest {
  readonly sender: MailboxId;
  /** As sent. It may hold a patient's address, so it never enters a refusal's words. */
  readonly to: string;
  /** `to` as a mailbox id; undefined when it is none. */
  readonly toMailbox: MailboxId | undefined;
  readonly workflowId: string;
  /** Chunks announced with the first one; 1 for a message sent whole. */
  readonly totalChunks: number;
  readonly rules: DeliveryRules;
}

export interface DeliveryRefusal {
  readonly kind: 'refuse';
  readonly error: ErrorName;
  /** The exact reason in words, for the owner of the mailbox and the refusal's record; names ids only. */
  readonly detail: string;
}

export type Delivery = { readonly kind: 'deliver'; readonly mailbox: MailboxRecord } | DeliveryRefusal;

/** One question of the decision; undefined when it has nothing against the delivery. */
type Check = (
  snapshot: RegistrySnapshot,
  request: DeliveryRequest,
  recipient: MailboxRecord,
) => Omit<DeliveryRefusal, 'kind'> | undefined;

/** A workflow that is known but not in use refuses whatever the setting for unknown ones says. */
function refuseWorkflow(snapshot: RegistrySnapshot, { workflowId, rules }: DeliveryRequest) {
  const workflow = snapshot.workflow(workflowId);
  // Codes 16 and 17 belong to restricted workflows, so one that may not be used at all is answered with 12.
  const error = 'unregistered-recipient';
  if (workflow === undefined) {
    if (rules.unknownWorkflows === 'accept') return undefined;
    return { error, detail: `workflow ${workflowId} is unknown and unknown workflows are refused` } as const;
  }
  switch (workflow.status) {
    case 'live':
    case 'deprecated':
      return undefined;
    case 'draft':
    case 'withdrawn':
      return { error, detail: `workflow ${workflowId} is ${workflow.status}` } as const;
  }
}

/** Restricted workflows pass only between mailboxes registered for them: codes 16 (sender) and 17 (recipient). */
function refuseUnregistered(snapshot: RegistrySnapshot, request: DeliveryRequest, recipient: MailboxRecord) {
  const { workflowId } = request;
  if (snapshot.workflow(workflowId)?.restricted !== true) return undefined;
  const nowMs = request.rules.now();
  const sender = snapshot.mailbox(request.sender);
  if (sender === undefined || !snapshot.isRegistered(sender, workflowId, 'initiator', nowMs)) {
    const detail = `${request.sender} is not registered to send restricted workflow ${workflowId}`;
    return { error: 'sender-not-allowed', detail } as const;
  }
  if (!snapshot.isRegistered(recipient, workflowId, 'responder', nowMs)) {
    const detail = `${recipient.mailboxId} is not registered to receive restricted workflow ${workflowId}`;
    return { error: 'workflow-not-registered', detail } as const;
  }
  return undefined;
}

/** In the order in which a caller is told. A rule about chunks or about the kind of recipient is one more entry here. */
const checks: readonly Check[] = [refuseWorkflow, refuseUnregistered];

/**
 * Whether a message may go to the mailbox it is addressed to. Pure but for the rules' clock. An address that
 * has to be resolved first (a patient's GP) is resolved before this.
 */
export function decideDelivery(snapshot: RegistrySnapshot, request: DeliveryRequest): Delivery {
  const { toMailbox: to, rules } = request;
  if (to === undefined) {
    return { kind: 'refuse', error: 'unregistered-recipient', detail: 'the address is not a mailbox id' };
  }
  if (rules.internalMailboxes.has(to)) {
    return { kind: 'refuse', error: 'internal-recipient', detail: `${to} is a mailbox of the service itself` };
  }
  const mailbox = snapshot.mailbox(to);
  if (mailbox === undefined) {
    return { kind: 'refuse', error: 'unregistered-recipient', detail: `mailbox ${to} is unknown` };
  }
  if (mailbox.state !== 'active') {
    return { kind: 'refuse', error: 'unregistered-recipient', detail: `mailbox ${to} is ${mailbox.state}` };
  }
  for (const check of checks) {
    const refusal = check(snapshot, request, mailbox);
    if (refusal !== undefined) return { kind: 'refuse', ...refusal };
  }
  return { kind: 'deliver', mailbox };
}
