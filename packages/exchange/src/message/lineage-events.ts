import type { Kin } from '../store/ledger/routing.ts';
import type { Lineage } from './lineage.ts';

// FHIR R4 AuditEvent. Types are of the record life-cycle codes that its value set names; what happened exactly is ours.
// Nothing of a message's texts is in it.

const lifecycleSystem = 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle';
const ownSystem = 'urn:openmesh:message-event';
const messageSystem = 'urn:openmesh:message-id';
const mailboxSystem = 'urn:openmesh:mailbox-id';

type Lifecycle = 'originate' | 'transmit' | 'receive';

interface Happened {
  readonly type: Lifecycle;
  readonly code: string;
  readonly atMs: number;
  readonly failed: boolean;
  readonly from: string | null;
  readonly to: string | null;
  readonly messages: readonly string[];
  readonly details: readonly (readonly [type: string, value: string])[];
}

const identified = (system: string, value: string): object => ({ identifier: { system, value } });

function agent(mailbox: string, requestor: boolean): object {
  return { who: identified(mailboxSystem, mailbox), requestor };
}

function toAuditEvent({ type, code, atMs, failed, from, to, messages, details }: Happened): object {
  const detail = details.map(([name, valueString]) => ({ type: name, valueString }));
  const agents = [...(from === null ? [] : [agent(from, true)]), ...(to === null ? [] : [agent(to, false)])];
  return {
    resourceType: 'AuditEvent',
    type: { system: lifecycleSystem, code: type },
    subtype: [{ system: ownSystem, code }],
    action: type === 'originate' ? 'C' : 'E',
    recorded: new Date(atMs).toISOString(),
    outcome: failed ? '4' : '0',
    agent: agents.length > 0 ? agents : [{ who: { display: 'exchange' }, requestor: false }],
    source: { observer: { display: 'OpenMESH exchange' } },
    entity: messages.map((id, index) => ({
      what: identified(messageSystem, id),
      ...(index === 0 && detail.length > 0 ? { detail } : {}),
    })),
  };
}

function eventsOf(kin: Kin): readonly Happened[] {
  const { messageId, sender, recipient, addressedTo, madeAs, madeFrom, linkedMessageId, workflowId } = kin;
  const code = kin.messageType === 'REPORT' ? 'reported' : madeAs === null ? 'accepted' : `${madeAs}-made`;
  const origin = madeFrom ?? linkedMessageId;
  const made: Happened = {
    type: 'originate',
    code,
    atMs: kin.createdAtMs,
    failed: false,
    from: sender,
    to: madeAs === null ? (addressedTo ?? recipient) : recipient,
    messages: origin === null ? [messageId] : [messageId, origin],
    details: [['workflow', workflowId]],
  };
  const routed = kin.steps.map(
    (step): Happened => ({
      type: 'transmit',
      code: step.kind,
      atMs: step.atMs,
      failed: step.kind.endsWith('-skipped'),
      from: step.from,
      to: step.to,
      messages: step.copyId === null ? [messageId] : [messageId, step.copyId],
      details: [
        ['rule', step.ruleId],
        ['rule-version', String(step.ruleVersion)],
        ['matched', step.matched],
        ...(step.why === '' ? [] : [['why', step.why] as const]),
      ],
    }),
  );
  if (kin.state === 'accepted' || kin.state === 'uploading' || kin.state === 'routing') return [made, ...routed];
  const ended: Happened = {
    type: 'receive',
    code: kin.state,
    atMs: kin.stateAtMs,
    failed: kin.state !== 'acknowledged',
    from: recipient,
    to: null,
    messages: [messageId],
    details: kin.state === 'acknowledged' ? [] : [['status-code', kin.statusCode]],
  };
  return [made, ...routed, ended];
}

/** A lineage as a Bundle of AuditEvents, in the order in which things happened. */
export function lineageEvents({ messages }: Pick<Lineage, 'messages'>): object {
  const happened = messages.flatMap(eventsOf).sort((a, b) => a.atMs - b.atMs);
  return {
    resourceType: 'Bundle',
    type: 'collection',
    entry: happened.map((event) => ({ resource: toAuditEvent(event) })),
  };
}
