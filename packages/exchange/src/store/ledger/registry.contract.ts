import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import { alice, bob, bornAtMs, nonceOf, noRecords } from '../ledger-probe.ts';
import {
  type CertificateRecord,
  type ConnectionFacts,
  type CredentialRecord,
  type MailboxRecord,
  type RegistrationRecord,
  type RegistryChange,
  type RegistryCursor,
  type RegistryPage,
  type SharedKeyRecord,
  type WorkflowRecord,
  workflowDefaults,
} from './registry.ts';
import type { ApprovalRecord, MembershipRecord, RuleRecord, WorkflowGroupRecord } from './routing-records.ts';

const audit = { atMs: bornAtMs, actor: 'root', action: 'registry.import', subject: 'test', detail: '{}' };

const mailboxes: readonly MailboxRecord[] = [
  {
    mailboxId: alice,
    name: 'Alice’s surgery',
    odsCode: 'A81001',
    orgCode: 'A81001',
    orgName: 'Surgery',
    billingEntity: 'ICB',
    state: 'active',
    certificateMatch: null,
    delegatedOdsCodes: ['X26', 'Y99'],
    receivesChunked: true,
  },
  {
    mailboxId: bob,
    name: 'Bob',
    odsCode: 'X26',
    orgCode: 'X26',
    orgName: '',
    billingEntity: '',
    state: 'disabled',
    certificateMatch: 'warn',
    delegatedOdsCodes: [],
    receivesChunked: false,
  },
];
const credentials: readonly CredentialRecord[] = [
  { credentialId: 'c1', mailboxId: alice, kind: 'password', sealed: 's1', validFromMs: 0, validToMs: null },
  { credentialId: 'c2', mailboxId: alice, kind: 'password', sealed: 's2', validFromMs: 5, validToMs: 9 },
];
const sharedKeys: readonly SharedKeyRecord[] = [
  { sharedKeyId: 'k1', sealed: 's1', validFromMs: 0, validToMs: 9 },
  { sharedKeyId: 'k2', sealed: 's2', validFromMs: 5, validToMs: null },
];
const workflows: readonly WorkflowRecord[] = [
  {
    ...workflowDefaults,
    workflowId: 'A',
    description: 'first',
    restricted: true,
    ackWorkflowId: 'A_ACK',
    sizeBytesMax: 5,
    gpRouting: true,
  },
  { ...workflowDefaults, workflowId: 'B', status: 'draft' },
];
const registrations: readonly RegistrationRecord[] = [
  { workflowId: 'A', role: 'initiator', mailboxId: alice, approvalId: null, validFromMs: 1, validToMs: null },
  { workflowId: 'A', role: 'responder', mailboxId: alice, approvalId: 'ok', validFromMs: 1, validToMs: 2 },
  { workflowId: 'A', role: 'responder', mailboxId: bob, approvalId: null, validFromMs: 1, validToMs: null },
];
const certificates: readonly CertificateRecord[] = [
  { fingerprint: 'f1', serial: '0A', subject: 'CN=a', mailboxId: alice, revokedAtMs: null },
  { fingerprint: 'f2', serial: '0B', subject: 'CN=b', mailboxId: null, revokedAtMs: 7 },
];
const groups: readonly WorkflowGroupRecord[] = [
  {
    groupId: 'G',
    number: 77,
    name: 'Group',
    description: '',
    owner: '',
    restricted: true,
    initiatorIds: ['A', 'B'],
    responderIds: [],
  },
];
const memberships: readonly MembershipRecord[] = [
  { groupId: 'G', part: 'initiator', mailboxId: alice, approvalId: null, validFromMs: 1, validToMs: null },
  { groupId: 'G', part: 'responder', mailboxId: alice, approvalId: 'ok', validFromMs: 1, validToMs: 2 },
];
const approvals: readonly ApprovalRecord[] = [
  {
    approvalId: 'ok',
    odsCode: 'X26',
    workflowId: 'A',
    approvedBy: 'programme',
    reason: '',
    validFromMs: 1,
    validToMs: 9,
    reviewOnMs: 5,
  },
];
const rule: RuleRecord = {
  ruleId: 'r1',
  version: 1,
  action: 'redirect',
  status: 'approved',
  target: bob,
  ifSender: null,
  ifRecipient: alice,
  workflowId: 'A',
  includeReports: true,
  approvalId: 'ok',
  chainConfirmed: true,
  fallbackConfirmed: false,
  activeFromMs: 1,
  activeToMs: null,
  reviewOnMs: 9,
  papers: {
    reason: 'move',
    lawfulBasis: 'direct care',
    requestedBy: 'bob',
    agreedByRecipient: 'letter',
    agreedByTarget: 'letter',
    senderReason: '',
    proposedBy: 'one',
    proposedAtMs: 1,
    decidedBy: 'two',
    decidedAtMs: 2,
  },
};
const rules: readonly RuleRecord[] = [rule, { ...rule, version: 2, status: 'proposed', action: 'copy' }];
const workflowParts = { workflows, registrations, groups, memberships, approvals, rules };
const everything: RegistryChange = { mailboxes, credentials, sharedKeys, ...workflowParts, certificates, audit };
const rowsOfEverything = 19;

const [first, second] = [mailboxes[0], registrations[1]];
if (first === undefined || second === undefined) throw new Error('the specimens are gone');

/** One altered row of each kind. */
const alterations: readonly (readonly [string, Partial<RegistryChange>])[] = [
  ['a mailbox', { mailboxes: [{ ...first, state: 'closed' }] }],
  ['a certificate match that was not set', { mailboxes: [{ ...first, certificateMatch: 'off' }] }],
  ['a delegation', { mailboxes: [{ ...first, delegatedOdsCodes: ['X26'] }] }],
  ['an end of validity that was open', { credentials: credentials.map((row) => ({ ...row, validToMs: 9 })) }],
  ['the end of a shared key', { sharedKeys: sharedKeys.map((row) => ({ ...row, validToMs: 9 })) }],
  ['a shared key sealed anew', { sharedKeys: sharedKeys.slice(1).map((row) => ({ ...row, sealed: 'anew' })) }],
  ['a workflow', { workflows: workflows.map((row) => ({ ...row, status: 'live' })) }],
  ['a registration', { registrations: [{ ...second, validToMs: null }] }],
  ['a revocation', { certificates: certificates.map((row) => ({ ...row, revokedAtMs: 7 })) }],
  ['a registration that goes', { dropRegistrations: [second] }],
  ['an approval of a registration', { registrations: [{ ...second, approvalId: null }] }],
  ['a group', { groups: groups.map((row) => ({ ...row, responderIds: ['B'] })) }],
  ['a membership', { memberships: memberships.map((row) => ({ ...row, approvalId: 'ok' })) }],
  ['a membership that goes', { dropMemberships: memberships.slice(1) }],
  ['an approval', { approvals: approvals.map((row) => ({ ...row, validToMs: 10 })) }],
  ['the end of a rule', { rules: [{ ...rule, status: 'ended' }] }],
  ['what a workflow is acknowledged by', { workflows: workflows.map((row) => ({ ...row, ackWorkflowId: 'A_ACK' })) }],
];

const seen = (n: number, changes: Partial<ConnectionFacts> = {}): ConnectionFacts => ({
  mailbox: alice,
  atMs: bornAtMs + n,
  clientVersion: `client ${n}`,
  osName: 'Linux',
  osVersion: '6',
  osArchitecture: 'x64',
  javaVersion: '',
  userAgent: 'agent',
  ...changes,
});

export function promiseRegistry(at: LedgerSource): void {
  it('is empty and at version 0 at first', async () => {
    expect(await at.ledger.registry.load()).toEqual({ version: 0, ...noRecords });
    expect(await at.ledger.registry.version()).toBe(0);
  });

  it('gives back every record as it was put, one version further, with one audit entry', async () => {
    const { registry } = at.ledger;
    expect(await registry.change(everything)).toEqual({ version: 1, rowsChanged: rowsOfEverything });
    const { audit: entry, ...records } = everything;
    expect(await registry.load()).toEqual({ version: 1, ...records });
    expect(await (await at.reopen()).registry.load()).toEqual({ version: 1, ...records });
    expect(await at.ledger.audit.read({ fromEntryNo: 0, limit: 9 })).toMatchObject([{ entryNo: 1, ...entry }]);
  });

  it('keeps the version and writes no audit entry when nothing is altered', async () => {
    const { registry } = at.ledger;
    await registry.change(everything);
    expect(await registry.change(everything)).toEqual({ version: 1, rowsChanged: 0 });
    expect(await registry.change({ audit })).toEqual({ version: 1, rowsChanged: 0 });
    expect(await at.ledger.audit.read({ fromEntryNo: 0, limit: 9 })).toHaveLength(1);
  });

  it.each(alterations)('sees that %s was altered, once', async (_what, change) => {
    const { registry } = at.ledger;
    await registry.change(everything);
    expect(await registry.change({ ...change, audit })).toEqual({ version: 2, rowsChanged: 1 });
    expect(await registry.change({ ...change, audit })).toEqual({ version: 2, rowsChanged: 0 });
    expect(await registry.version()).toBe(2);
  });

  it('puts all of a change or nothing of it', async () => {
    const { registry } = at.ledger;
    const broken = { ...everything, certificates: [{ ...certificates[0], serial: null } as never] };
    await expect(registry.change(broken)).rejects.toMatchObject({ kind: 'defect' });
    expect(await registry.load()).toMatchObject({ version: 0, mailboxes: [], workflows: [] });
    expect(await at.ledger.audit.read({ fromEntryNo: 0, limit: 9 })).toEqual([]);
  });

  it('raises the version once for each change of many at a time', async () => {
    const changes = Array.from({ length: 20 }, (_, n) => {
      const workflow = { ...workflowDefaults, workflowId: `W${n}` };
      return at.ledger.registry.change({ workflows: [workflow], audit });
    });
    const versions = (await Promise.all(changes)).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('says what makes of an earlier version the one that is, rows that are gone included', async () => {
    const { registry } = at.ledger;
    await registry.change(everything);
    const { audit: _entry, ...rows } = everything;
    expect(await registry.changesSince(0)).toEqual({ version: 1, ...rows });
    const [gone, ...others] = registrations;
    await registry.change({ dropRegistrations: registrations.slice(0, 1), dropMemberships: memberships, audit });
    await registry.change({ mailboxes: [{ ...mailboxes[0], name: 'New' } as MailboxRecord], audit });
    const delta = await registry.changesSince(1);
    expect(delta).toMatchObject({ version: 3, mailboxes: [{ name: 'New' }] });
    expect(delta?.dropRegistrations).toMatchObject([{ workflowId: gone?.workflowId, role: gone?.role }]);
    expect(delta?.dropMemberships).toHaveLength(memberships.length);
    expect((await registry.load()).registrations).toEqual(others);
    expect(await registry.changesSince(3)).toEqual({ version: 3 });
  });

  it('gives back everything page by page, from table to table', async () => {
    const { registry } = at.ledger;
    await registry.change(everything);
    const found: Record<string, unknown[]> = {};
    for (let from: RegistryCursor | null = { table: 'mailboxes', after: null }; from !== null; ) {
      const page: RegistryPage = await registry.page(from);
      for (const [table, rows] of Object.entries(page.rows)) (found[table] ??= []).push(...rows);
      from = page.next;
    }
    const { audit: _entry, ...rows } = everything;
    expect(found).toEqual(rows);
  });

  it('remembers each client and machine of a mailbox once, the last seen first', async () => {
    const { registry } = at.ledger;
    for (const n of [1, 2, 3]) await registry.recordConnection(seen(n), null);
    await registry.recordConnection(seen(9, { clientVersion: 'client 1' }), null);
    await registry.recordConnection(seen(5, { mailbox: bob }), null);
    const found = await registry.connections({ mailbox: alice, limit: 2 });
    expect(found).toEqual([seen(9, { clientVersion: 'client 1' }), seen(3)]);
    expect(await registry.connections({ mailbox: bob, limit: 9 })).toEqual([seen(5, { mailbox: bob })]);
  });

  it('forgets the oldest of a mailbox that shows a new name each time', async () => {
    const { registry } = at.ledger;
    await Promise.all(Array.from({ length: 80 }, (_, n) => registry.recordConnection(seen(n), null)));
    const kept = await registry.connections({ mailbox: alice, limit: 1000 });
    expect(kept).toEqual(Array.from({ length: 50 }, (_, n) => seen(79 - n)));
  });

  it('records nothing for a token that was used', async () => {
    const { registry } = at.ledger;
    expect(await registry.recordConnection(seen(1), nonceOf('n:1'))).toEqual({ kind: 'recorded' });
    expect(await registry.recordConnection(seen(2), nonceOf('n:1'))).toMatchObject({ kind: 'nonce-used' });
    expect(await registry.connections({ mailbox: alice, limit: 9 })).toEqual([seen(1)]);
  });
}
