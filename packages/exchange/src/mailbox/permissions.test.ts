import { type MailboxId, parseMailboxId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import {
  type MailboxRecord,
  type MailboxState,
  type WorkflowRecord,
  workflowDefaults,
} from '../store/ledger/registry.ts';
import type { DeliveryRules } from './permissions.ts';
import { decideRoute } from './routing/decide-route.ts';
import { buildSnapshot } from './snapshot.ts';

const mailbox = (id: string, state: MailboxState = 'active'): MailboxRecord => ({
  mailboxId: id as MailboxId,
  name: id,
  odsCode: 'X26',
  orgCode: 'X26',
  orgName: '',
  billingEntity: '',
  state,
  certificateMatch: null,
  delegatedOdsCodes: [],
  receivesChunked: true,
});
const workflow = (workflowId: string, status: WorkflowRecord['status'], restricted = false): WorkflowRecord => ({
  ...workflowDefaults,
  workflowId,
  status,
  restricted,
});
const registered = (id: string, role: 'initiator' | 'responder', validToMs: number | null = null) => ({
  mailboxId: id as MailboxId,
  workflowId: 'SECRET',
  role,
  approvalId: null,
  validFromMs: 0,
  validToMs,
});

const snapshot = buildSnapshot(
  {
    version: 1,
    mailboxes: [mailbox('A'), mailbox('B'), mailbox('C'), mailbox('OFF', 'disabled'), mailbox('SHUT', 'closed')],
    credentials: [],
    sharedKeys: [],
    workflows: [
      workflow('WF', 'live'),
      workflow('OLD', 'deprecated'),
      workflow('NEXT', 'draft'),
      workflow('GONE', 'withdrawn'),
      workflow('SECRET', 'live', true),
    ],
    registrations: [registered('A', 'initiator', 100), registered('B', 'responder')],
    groups: [],
    memberships: [],
    approvals: [],
    rules: [],
    certificates: [],
  },
  () => '',
);

interface Case {
  readonly sender?: string;
  readonly to?: string;
  readonly workflowId?: string;
  readonly rules?: Partial<DeliveryRules>;
}

function decide({ sender = 'A', to = 'B', workflowId = 'WF', rules = {} }: Case): string {
  const decision = decideRoute(snapshot, {
    sender: sender as MailboxId,
    to,
    toMailbox: parseMailboxId(to),
    workflowId,
    totalChunks: 1,
    rules: {
      unknownWorkflows: 'refuse',
      askedRegistrations: 'restricted',
      civilRegistration: false,
      internalMailboxes: new Set(['SYSTEM' as MailboxId]),
      now: () => 0,
      ...rules,
    },
  });
  return decision.kind === 'deliver' ? decision.mailbox.mailboxId : `${decision.error}: ${decision.detail}`;
}

describe('the decision on a delivery', () => {
  it('delivers to an active mailbox over a workflow in use', () => {
    expect([decide({}), decide({ workflowId: 'OLD' })]).toEqual(['B', 'B']);
  });

  it('refuses mailboxes that are unknown, not active, or the service itself', () => {
    expect(decide({ to: 'NOBODY' })).toBe('unregistered-recipient: mailbox NOBODY is unknown');
    expect(decide({ to: 'OFF' })).toBe('unregistered-recipient: mailbox OFF is disabled');
    expect(decide({ to: 'SHUT' })).toBe('unregistered-recipient: mailbox SHUT is closed');
    expect(decide({ to: 'SYSTEM' })).toBe('internal-recipient: SYSTEM is a mailbox of the service itself');
  });

  it('keeps an address that is no mailbox out of its words, since it may name a patient', () => {
    expect(decide({ to: 'GPPROVIDER_9000000009_01011990_SMITH' })).toBe(
      'unregistered-recipient: the address is not a mailbox id',
    );
  });

  it('takes or refuses unknown workflows as the rules say, and never those not yet or no longer in use', () => {
    const rules = { unknownWorkflows: 'accept' } as const;
    expect(decide({ workflowId: 'NEW', rules })).toBe('B');
    expect(decide({ workflowId: '', rules })).toBe('B');
    expect(decide({ workflowId: 'NEXT', rules })).toBe('sender-not-allowed: workflow NEXT is draft');
    expect(decide({ workflowId: 'NEW' })).toContain('unknown workflows are refused');
    expect(decide({ workflowId: 'GONE' })).toBe('sender-not-allowed: workflow GONE is withdrawn');
  });

  it('lets restricted workflows pass between registered mailboxes only, with 16 and 17 for the two sides', () => {
    expect(decide({ workflowId: 'SECRET' })).toBe('B');
    expect(decide({ workflowId: 'SECRET', sender: 'C' })).toContain('sender-not-allowed: C is not registered to send');
    expect(decide({ workflowId: 'SECRET', to: 'C' })).toContain('workflow-not-registered: C is not registered to');
    expect(decide({ workflowId: 'SECRET', rules: { now: () => 100 } })).toContain('sender-not-allowed: A');
    expect(decide({ workflowId: 'SECRET', sender: 'NOBODY' })).toContain('sender-not-allowed: NOBODY');
  });
});
