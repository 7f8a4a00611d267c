import type { ErrorName, ErrorParameters, MailboxId } from '@openmesh/protocol';
import type { MailboxRecord } from '../store/ledger/registry.ts';
import type { RegistrySnapshot } from './snapshot.ts';

/** For which workflows a registration is asked: restricted ones on both sides, or more. */
export type AskedRegistrations = 'restricted' | 'recipients' | 'both';

export interface DeliveryRules {
  /** What to do with a workflow the registry does not know. */
  readonly unknownWorkflows: 'accept' | 'refuse';
  readonly askedRegistrations: AskedRegistrations;
  /** Whether workflows of civil registration may be used. */
  readonly civilRegistration: boolean;
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
  /** Bytes of the message as far as they are known; left out when they are not. */
  readonly sizeBytes?: number;
  readonly rules: DeliveryRules;
}

export interface DeliveryRefusal {
  readonly kind: 'refuse';
  readonly error: ErrorName;
  /** The exact reason in words, for the owner of the mailbox and the refusal's record; names ids only. */
  readonly detail: string;
  /** Of the error's text, where it has any. */
  readonly parameters?: ErrorParameters;
}

export type Objection = Omit<DeliveryRefusal, 'kind'>;

/** One question of the decision; undefined when it has nothing against the delivery. */
type Check = (snapshot: RegistrySnapshot, request: DeliveryRequest, recipient: MailboxRecord) => Objection | undefined;

/** A workflow that is known but not in use refuses whatever the setting for unknown ones says. */
function refuseWorkflow(snapshot: RegistrySnapshot, { workflowId, rules }: DeliveryRequest): Objection | undefined {
  const workflow = snapshot.workflow(workflowId);
  if (workflow === undefined) {
    if (rules.unknownWorkflows === 'accept') return undefined;
    // Code 16 says something of a workflow that exists: one that does not is answered with 12.
    const detail = `workflow ${workflowId} is unknown and unknown workflows are refused`;
    return { error: 'unregistered-recipient', detail };
  }
  if (workflow.civilRegistration && !rules.civilRegistration) {
    const detail = `workflow ${workflowId} is one of civil registration`;
    return { error: 'civil-registration-not-enabled', detail, parameters: { workflowId } };
  }
  switch (workflow.status) {
    case 'live':
    case 'deprecated':
      return undefined;
    case 'draft':
    case 'withdrawn':
      return { error: 'sender-not-allowed', detail: `workflow ${workflowId} is ${workflow.status}` };
  }
}

/** What a workflow carries at most, and whether it comes in chunks. */
function refuseSize(
  snapshot: RegistrySnapshot,
  request: DeliveryRequest,
  recipient: MailboxRecord,
): Objection | undefined {
  const { workflowId, totalChunks, sizeBytes = 0 } = request;
  const workflow = snapshot.workflow(workflowId);
  if (totalChunks > 1 && workflow?.chunking === false) {
    return { error: 'invalid-chunk-range', detail: `workflow ${workflowId} is not sent in chunks` };
  }
  if (totalChunks > 1 && !recipient.receivesChunked) {
    return { error: 'invalid-chunk-range', detail: `mailbox ${recipient.mailboxId} takes no messages in chunks` };
  }
  const max = workflow?.sizeBytesMax ?? null;
  if (max === null || sizeBytes <= max) return undefined;
  return { error: 'message-too-large', detail: `workflow ${workflowId} carries at most ${max} bytes` };
}

/** Restricted workflows pass only between mailboxes registered for them: codes 16 (sender) and 17 (recipient). */
function refuseUnregistered(
  snapshot: RegistrySnapshot,
  request: DeliveryRequest,
  recipient: MailboxRecord,
): Objection | undefined {
  const { workflowId, rules } = request;
  const isRestricted = snapshot.isRestricted(workflowId);
  const asked = rules.askedRegistrations;
  // Nobody can be registered for a workflow that the registry does not know.
  if (!isRestricted && (asked === 'restricted' || snapshot.workflow(workflowId) === undefined)) return undefined;
  const nowMs = rules.now();
  const named = isRestricted ? `restricted workflow ${workflowId}` : `workflow ${workflowId}`;
  const sender = snapshot.mailbox(request.sender);
  const sends = sender !== undefined && snapshot.isRegistered(sender, workflowId, 'initiator', nowMs);
  if (!sends && (isRestricted || asked === 'both')) {
    return { error: 'sender-not-allowed', detail: `${request.sender} is not registered to send ${named}` };
  }
  if (!snapshot.isRegistered(recipient, workflowId, 'responder', nowMs)) {
    const detail = `${recipient.mailboxId} is not registered to receive ${named}`;
    return { error: 'workflow-not-registered', detail };
  }
  return undefined;
}

/**
 * Who holds a message only as a copy has nothing to acknowledge: a mailbox that a rule copies a workflow to acknowledges
 * it only when it is registered to receive it.
 */
function refuseCopyHolder(snapshot: RegistrySnapshot, { sender, workflowId, rules }: DeliveryRequest) {
  if (snapshot.rules.size === 0) return undefined;
  const acknowledged = snapshot.acknowledges(workflowId);
  if (acknowledged.length === 0) return undefined;
  const nowMs = rules.now();
  const copied = snapshot.rules.copiesTo(sender, nowMs);
  const mailbox = snapshot.mailbox(sender);
  if (copied.length === 0 || mailbox === undefined) return undefined;
  for (const original of acknowledged) {
    const holds = copied.some((rule) => rule.workflowId === null || rule.workflowId === original);
    if (!holds || snapshot.isRegistered(mailbox, original, 'responder', nowMs)) continue;
    const detail = `${sender} gets ${original} by copy only and may not acknowledge it`;
    return { error: 'sender-not-allowed', detail } as const;
  }
  return undefined;
}

/** In the order in which a caller is told. A rule about the kind of recipient is one more entry here. */
const checks: readonly Check[] = [refuseWorkflow, refuseUnregistered, refuseCopyHolder, refuseSize];

/** What stands against a message to a mailbox that exists, whatever the mailbox's state; undefined: nothing. */
export function objectionTo(
  snapshot: RegistrySnapshot,
  request: DeliveryRequest,
  recipient: MailboxRecord,
): Objection | undefined {
  for (const check of checks) {
    const objection = check(snapshot, request, recipient);
    if (objection !== undefined) return objection;
  }
  return undefined;
}

/** The mailbox that a message is addressed to, active or not. An address to be resolved is resolved before this. */
export function findAddressed(
  snapshot: RegistrySnapshot,
  { toMailbox: to, rules }: DeliveryRequest,
): { readonly kind: 'addressed'; readonly mailbox: MailboxRecord } | DeliveryRefusal {
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
  return { kind: 'addressed', mailbox };
}
