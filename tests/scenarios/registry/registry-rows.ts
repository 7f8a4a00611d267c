import { type MailboxRecord, type RegistryRows, workflowDefaults } from '@openmesh/exchange/store/ledger/registry.ts';
import type { RuleRecord } from '@openmesh/exchange/store/ledger/routing-records.ts';
import type { MailboxId } from '@openmesh/protocol';
import * as fc from 'fast-check';

const box = fc.constantFrom('A', 'B', 'C', 'D').map((name) => name as MailboxId);
const workflow = fc.constantFrom('V', 'W', 'X');
const organisation = fc.constantFrom('O1', 'o1', 'O2');
const group = fc.constantFrom('G', 'H');
const approvalId = fc.constantFrom(null, 'P', 'Q');
const dates = fc.record({ validFromMs: fc.constantFrom(0, 5), validToMs: fc.constantFrom(null, 7) });
const few = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(of, { maxLength: 3 });

const mailbox = fc.record({
  mailboxId: box,
  name: fc.constantFrom('n', 'm'),
  odsCode: organisation,
  orgCode: fc.constant('O1'),
  orgName: fc.constant(''),
  billingEntity: fc.constant(''),
  state: fc.constantFrom('active' as const, 'disabled' as const),
  certificateMatch: fc.constantFrom(null, 'warn' as const),
  delegatedOdsCodes: fc.constant([]),
  receivesChunked: fc.boolean(),
}) satisfies fc.Arbitrary<MailboxRecord>;

const papers = {
  reason: 'r',
  lawfulBasis: 'l',
  requestedBy: 'q',
  agreedByRecipient: '',
  agreedByTarget: '',
  senderReason: '',
  proposedBy: 'p',
  proposedAtMs: 0,
  decidedBy: 'd',
  decidedAtMs: null,
};

const rule = fc
  .record({
    ruleId: fc.constantFrom('r1', 'r2'),
    version: fc.constantFrom(1, 2),
    action: fc.constantFrom('copy' as const, 'redirect' as const),
    status: fc.constantFrom('proposed' as const, 'approved' as const, 'superseded' as const, 'ended' as const),
    target: box,
    ifSender: fc.option(box),
    ifRecipient: fc.option(box),
    workflowId: fc.option(workflow),
  })
  .map(
    (terms): RuleRecord => ({
      ...terms,
      includeReports: false,
      approvalId: null,
      chainConfirmed: false,
      fallbackConfirmed: false,
      activeFromMs: 0,
      activeToMs: null,
      reviewOnMs: 9,
      papers,
    }),
  );

/** Changes of every table that meet each other's rows as often as not. */
export const registryRows: fc.Arbitrary<RegistryRows> = fc.record({
  mailboxes: few(mailbox),
  credentials: few(
    fc.record({
      credentialId: fc.constantFrom('c1', 'c2', 'c3'),
      mailboxId: box,
      kind: fc.constant('password' as const),
      sealed: fc.constantFrom('s', 't'),
      validFromMs: fc.constantFrom(0, 5),
      validToMs: fc.constantFrom(null, 7),
    }),
  ),
  workflows: few(
    fc
      .record({
        workflowId: workflow,
        restricted: fc.boolean(),
        ackWorkflowId: fc.option(workflow),
        sizeBytesMax: fc.constantFrom(null, 5),
      })
      .map((terms) => ({ ...workflowDefaults, ...terms })),
  ),
  registrations: few(
    fc
      .record({
        mailboxId: box,
        workflowId: workflow,
        role: fc.constantFrom('initiator' as const, 'responder' as const),
        approvalId,
        dates,
      })
      .map(({ dates: span, ...row }) => ({ ...row, ...span })),
  ),
  groups: few(
    fc.record({
      groupId: group,
      number: fc.constantFrom(null, 7),
      name: fc.constant('n'),
      description: fc.constant(''),
      owner: fc.constant(''),
      restricted: fc.boolean(),
      initiatorIds: few(workflow),
      responderIds: few(workflow),
    }),
  ),
  memberships: few(
    fc
      .record({
        mailboxId: box,
        groupId: group,
        part: fc.constantFrom('initiator' as const, 'responder' as const),
        approvalId,
        dates,
      })
      .map(({ dates: span, ...row }) => ({ ...row, ...span })),
  ),
  approvals: few(
    fc.record({
      approvalId: fc.constantFrom('P', 'Q'),
      odsCode: fc.constantFrom('O1', 'O2'),
      workflowId: workflow,
      approvedBy: fc.constant('b'),
      reason: fc.constant(''),
      validFromMs: fc.constantFrom(0, 5),
      validToMs: fc.constantFrom(6, 7),
      reviewOnMs: fc.constant(5),
    }),
  ),
  rules: few(rule),
  sharedKeys: few(
    fc.record({
      sharedKeyId: fc.constantFrom('k1', 'k2'),
      sealed: fc.constantFrom('a', 'b'),
      validFromMs: fc.constantFrom(0, 5),
      validToMs: fc.option(fc.constantFrom(6, 7)),
    }),
  ),
  certificates: few(
    fc.record({
      fingerprint: fc.constantFrom('f1'.repeat(32), 'f2'.repeat(32)),
      serial: fc.constant('0A'),
      subject: fc.constant(''),
      mailboxId: fc.option(box),
      revokedAtMs: fc.option(fc.constant(5)),
    }),
  ),
  dropRegistrations: few(
    fc.record({
      mailboxId: box,
      workflowId: workflow,
      role: fc.constantFrom('initiator' as const, 'responder' as const),
    }),
  ),
  dropMemberships: few(
    fc.record({ mailboxId: box, groupId: group, part: fc.constantFrom('initiator' as const, 'responder' as const) }),
  ),
});
