import type { MailboxId } from '@openmesh/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MailboxRecord, workflowDefaults } from '../../store/ledger/registry.ts';
import type { ApprovalRecord, RuleRecord } from '../../store/ledger/routing-records.ts';
import { buildSnapshot, type RegistrySnapshot } from '../snapshot.ts';
import { type Addressed, applyRules, redirectsMax } from './apply-rules.ts';
import { checkRule } from './check-rule.ts';
import { RuleBook } from './rule-book.ts';
import { indexRules, isInForce } from './rule-index.ts';

// Small worlds, so that rules meet: five mailboxes, three workflows (one restricted, one unknown), any rules at all.

const ids = ['A', 'B', 'C', 'D', 'E'] as MailboxId[];
const workflowIds = ['OPEN', 'SECRET', 'UNKNOWN'];
const nowMs = 1_000_000;

const anId = fc.constantFrom(...ids);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const aRule: fc.Arbitrary<RuleRecord> = fc.record({
  ruleId: fc.stringMatching(/^r[0-9]{1,2}$/),
  version: fc.constantFrom(1, 2),
  action: fc.constantFrom('copy', 'redirect'),
  status: fc.constantFrom('approved', 'approved', 'approved', 'superseded', 'proposed', 'ended', 'refused'),
  target: anId,
  ifSender: maybe(anId),
  ifRecipient: maybe(anId),
  workflowId: maybe(fc.constantFrom(...workflowIds)),
  includeReports: fc.boolean(),
  approvalId: fc.constant(null),
  chainConfirmed: fc.boolean(),
  fallbackConfirmed: fc.boolean(),
  activeFromMs: fc.constantFrom(0, nowMs, nowMs + 1),
  activeToMs: fc.constantFrom(null, nowMs, nowMs + 1),
  reviewOnMs: fc.constant(nowMs + 10),
  papers: fc.record({
    reason: fc.constant('because'),
    lawfulBasis: fc.constant('care'),
    requestedBy: fc.constant('somebody'),
    agreedByRecipient: fc.constant(''),
    agreedByTarget: fc.constant(''),
    senderReason: fc.constantFrom('', 'archive'),
    proposedBy: fc.constant('one'),
    proposedAtMs: fc.constant(0),
    decidedBy: fc.constant('two'),
    decidedAtMs: fc.constant(0),
  }),
});

const aMailbox = (mailboxId: MailboxId): fc.Arbitrary<MailboxRecord> =>
  fc.record({
    mailboxId: fc.constant(mailboxId),
    name: fc.constant(mailboxId),
    odsCode: fc.constant(`ODS${mailboxId}`),
    orgCode: fc.constant(''),
    orgName: fc.constant(''),
    billingEntity: fc.constant(''),
    state: fc.constantFrom('active', 'active', 'active', 'disabled', 'closed'),
    certificateMatch: fc.constant(null),
    delegatedOdsCodes: fc.constant([]),
    receivesChunked: fc.boolean(),
  });

const approval = (mailboxId: MailboxId): ApprovalRecord => ({
  approvalId: `approval-${mailboxId}`,
  odsCode: `ODS${mailboxId}`,
  workflowId: 'SECRET',
  approvedBy: 'programme',
  reason: '',
  validFromMs: 0,
  validToMs: nowMs + 1,
  reviewOnMs: nowMs,
});

interface World {
  readonly snapshot: RegistrySnapshot;
  readonly rules: readonly RuleRecord[];
  readonly approved: readonly MailboxId[];
}

const someRules = (maxLength: number): fc.Arbitrary<readonly RuleRecord[]> =>
  fc.uniqueArray(aRule, { maxLength, selector: ({ ruleId, version }) => `${ruleId}/${version}` });

const aWorld: fc.Arbitrary<World> = fc
  .record({
    rules: someRules(14),
    mailboxes: fc.tuple(...ids.map(aMailbox)),
    approved: fc.subarray(ids),
    receivers: fc.array(fc.tuple(anId, fc.constantFrom('OPEN', 'SECRET')), { maxLength: 10 }),
  })
  .map(({ rules, mailboxes, approved, receivers }) => {
    const registered = { role: 'responder', approvalId: null, validFromMs: 0, validToMs: null } as const;
    const records = {
      version: 1,
      mailboxes,
      credentials: [],
      sharedKeys: [],
      workflows: [
        { ...workflowDefaults, workflowId: 'OPEN' },
        { ...workflowDefaults, workflowId: 'SECRET', restricted: true },
      ],
      registrations: receivers.map(([mailboxId, workflowId]) => ({ ...registered, mailboxId, workflowId })),
      groups: [],
      memberships: [],
      approvals: approved.map(approval),
      certificates: [],
    };
    return { snapshot: buildSnapshot({ ...records, rules }, () => ''), rules, approved };
  });

const aMessage = fc.record({
  sender: maybe(anId),
  to: anId,
  workflowId: fc.constantFrom(...workflowIds),
  totalChunks: fc.constantFrom(1, 2),
  isReport: fc.boolean(),
});

function addressed(
  snapshot: RegistrySnapshot,
  message: typeof aMessage extends fc.Arbitrary<infer M> ? M : never,
): Addressed {
  const mailbox = snapshot.mailbox(message.to);
  if (mailbox === undefined) throw new Error('the world has five mailboxes');
  return { ...message, mailbox };
}

/** Asks of every decision in many worlds. */
function always(holds: (world: World, message: Addressed, ruled: ReturnType<typeof applyRules>) => void): void {
  fc.assert(
    fc.property(aWorld, aMessage, (world, drawn) => {
      const message = addressed(world.snapshot, drawn);
      holds(world, message, applyRules(world.snapshot, message, nowMs));
    }),
    { numRuns: 1000 },
  );
}

describe('whatever the rules say', () => {
  it('a message goes to exactly one mailbox, and no further than its redirects allow', () => {
    always((_world, message, { mailbox, steps }) => {
      const ways = steps.filter(({ kind }) => kind === 'redirected');
      expect(ways.length).toBeLessThanOrEqual(redirectsMax);
      const path = [message.mailbox.mailboxId, ...ways.map(({ to }) => to)];
      expect(path.at(-1)).toBe(mailbox.mailboxId);
      expect(new Set(path).size).toBe(path.length);
      for (const [index, { from }] of ways.entries()) expect(from).toBe(path[index]);
    });
  });

  it('nobody gets more than one copy, and nobody a copy of what it has or is sent elsewhere', () => {
    always((_world, message, { mailbox, copies }) => {
      const targets = copies.map((copy) => copy.mailbox.mailboxId);
      expect(new Set(targets).size).toBe(targets.length);
      expect(targets).not.toContain(mailbox.mailboxId);
      if (mailbox !== message.mailbox) expect(targets).toEqual([]);
    });
  });

  it('rules bring a restricted workflow to no mailbox that is not approved for it', () => {
    always(({ approved }, message, { mailbox, copies }) => {
      if (message.workflowId !== 'SECRET') return;
      const reached = copies.map((copy) => copy.mailbox);
      if (mailbox !== message.mailbox) reached.push(mailbox);
      for (const { mailboxId } of reached) expect(approved).toContain(mailboxId);
    });
  });

  it('rules bring nothing to a mailbox that is not active, or takes no chunks', () => {
    always((_world, message, { mailbox, copies }) => {
      const reached = copies.map((copy) => copy.mailbox);
      if (mailbox !== message.mailbox) reached.push(mailbox);
      for (const { state, receivesChunked } of reached) {
        expect(state).toBe('active');
        if (message.totalChunks > 1 && !message.isReport) expect(receivesChunked).toBe(true);
      }
    });
  });

  it('only rules in force that match have a step, and a report has one only by a rule about reports', () => {
    always(({ rules }, message, { steps }) => {
      for (const step of steps) {
        const rule = rules.find(({ ruleId, version }) => ruleId === step.ruleId && version === step.ruleVersion);
        if (rule === undefined) throw new Error('a step of no rule');
        expect(isInForce(rule, nowMs)).toBe(true);
        if (message.isReport) expect(rule.includeReports).toBe(true);
        if (rule.ifSender !== null) expect(rule.ifSender).toBe(message.sender);
        if (rule.workflowId !== null) expect(rule.workflowId).toBe(message.workflowId);
        if (rule.ifRecipient !== null) expect(rule.ifRecipient).toBe(step.from);
      }
    });
  });

  it('the index finds what a walk over all rules finds', () => {
    fc.assert(
      fc.property(someRules(30), aMessage, (rules, { sender, to, workflowId, isReport }) => {
        const index = indexRules(rules);
        const found = new Set(index.copies({ sender, recipient: to, workflowId, isReport }, nowMs));
        const wanted = rules.filter(
          (rule) =>
            rule.action === 'copy' &&
            isInForce(rule, nowMs) &&
            (!isReport || rule.includeReports) &&
            (rule.ifSender !== null || rule.ifRecipient !== null || rule.workflowId !== null) &&
            (rule.ifSender === null || rule.ifSender === sender) &&
            (rule.ifRecipient === null || rule.ifRecipient === to) &&
            (rule.workflowId === null || rule.workflowId === workflowId),
        );
        expect(found).toEqual(new Set(wanted));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('rules that were checked one after the other as they were saved', () => {
  it('never skip a redirect because it would lead back or too far', () => {
    fc.assert(
      fc.property(aWorld, fc.array(aMessage, { minLength: 5, maxLength: 20 }), (world, messages) => {
        const saved: RuleRecord[] = [];
        for (const rule of world.rules) {
          if (rule.status !== 'approved' || saved.some(({ ruleId }) => ruleId === rule.ruleId)) continue;
          const around = { snapshot: world.snapshot, book: new RuleBook(saved), approvals: [], nowMs };
          if (checkRule(rule, around).length === 0) saved.push(rule);
        }
        const snapshot = world.snapshot.withRules(saved);
        for (const message of messages) {
          const { steps } = applyRules(snapshot, addressed(snapshot, message), nowMs);
          expect(steps.filter(({ why }) => /lead back|follow each other/.test(why))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
