import type { MailboxId } from '@openmesh/protocol';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MailboxRecord, RegistryRecords } from '../../store/ledger/registry.ts';
import type { RuleRecord } from '../../store/ledger/routing-records.ts';
import { noRecords } from '../../store/ledger-probe.ts';
import { buildSnapshot } from '../snapshot.ts';
import { approveRule, type RuleDecider } from './change-rules.ts';
import { isInForce } from './rule-index.ts';

const dayMs = 86_400_000;
const startMs = 1000 * dayMs;

const mailbox = (mailboxId: string): MailboxRecord => ({
  mailboxId: mailboxId as MailboxId,
  name: mailboxId,
  odsCode: mailboxId,
  orgCode: '',
  orgName: '',
  billingEntity: '',
  state: 'active',
  certificateMatch: null,
  delegatedOdsCodes: [],
  receivesChunked: true,
});

/** A version of the rule that copies a mailbox's messages, proposed by one person. */
function version(number: number, activeFromMs: number): RuleRecord {
  return {
    ruleId: 'r',
    version: number,
    action: 'copy',
    status: 'proposed',
    target: 'TARGET' as MailboxId,
    ifSender: null,
    ifRecipient: 'FROM' as MailboxId,
    workflowId: null,
    includeReports: false,
    approvalId: null,
    chainConfirmed: false,
    fallbackConfirmed: false,
    activeFromMs,
    activeToMs: null,
    reviewOnMs: activeFromMs + dayMs,
    papers: {
      reason: 'because',
      lawfulBasis: 'care',
      requestedBy: 'somebody',
      agreedByRecipient: 'letter',
      agreedByTarget: 'letter',
      senderReason: '',
      proposedBy: 'one',
      proposedAtMs: 0,
      decidedBy: '',
      decidedAtMs: null,
    },
  };
}

function decider(rules: readonly RuleRecord[], nowMs: number): RuleDecider {
  const mailboxes = ['FROM', 'TARGET'].map(mailbox);
  const records: RegistryRecords = { ...noRecords, version: 1, mailboxes, rules };
  return { records, snapshot: buildSnapshot(records, () => ''), actor: 'two', nowMs };
}

it('has one version in force at a time, the one approved last of those that have begun, whenever each was to begin', () => {
  const steps = fc.array(fc.record({ waitDays: fc.nat(5), beginsInDays: fc.nat(10) }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(steps, fc.nat(40), (approvals, lookAtDay) => {
      let rules: readonly RuleRecord[] = [];
      let nowMs = startMs;
      for (const [index, { waitDays, beginsInDays }] of approvals.entries()) {
        nowMs += waitDays * dayMs;
        const proposed = version(index + 1, nowMs + beginsInDays * dayMs);
        const outcome = approveRule('r', decider([...rules, proposed], nowMs));
        if (outcome.kind === 'refused') throw new Error(outcome.problems.join());
        const changed = new Map(outcome.rules.map((rule) => [rule.version, rule]));
        rules = [...rules, proposed].map((rule) => changed.get(rule.version) ?? rule);
      }
      const atMs = nowMs + lookAtDay * dayMs;
      const begun = rules.filter(({ activeFromMs }) => activeFromMs <= atMs).map((rule) => rule.version);
      const inForce = rules.filter((rule) => isInForce(rule, atMs)).map((rule) => rule.version);
      expect(inForce).toEqual(begun.length === 0 ? [] : [Math.max(...begun)]);
    }),
  );
});
