import { checkRule } from '@openmesh/exchange/mailbox/routing/check-rule.ts';
import { decideReport, decideRoute } from '@openmesh/exchange/mailbox/routing/decide-route.ts';
import { RuleBook } from '@openmesh/exchange/mailbox/routing/rule-book.ts';
import { buildSnapshot, type RegistrySnapshot } from '@openmesh/exchange/mailbox/snapshot.ts';
import type { RouteStep } from '@openmesh/exchange/store/ledger/routing-records.ts';
import { errorEntry, type MailboxId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import {
  approvalsOf,
  type MessageCase,
  messageCases,
  ruleOf,
  type SaveCase,
  saveCases,
  sharedSeeds,
} from '../../kit/routing-cases.ts';
import { toRegistryChange } from '../../kit/seeded-registry.ts';

// Every case of conformance/routing/rules.json as a pure decision; `cases.test.ts` plays them on a running exchange.

const nowMs = Date.UTC(2026, 5, 1, 12);

function snapshotOf(each: MessageCase | SaveCase): RegistrySnapshot {
  const { audit: _audit, ...rows } = toRegistryChange(sharedSeeds(), { seal: (text) => text }, nowMs);
  const lists = {
    mailboxes: [],
    credentials: [],
    sharedKeys: [],
    workflows: [],
    registrations: [],
    certificates: [],
    memberships: [],
  };
  const rules = each.rules.map((rule) => ruleOf(rule, nowMs));
  const records = { version: 1, ...lists, ...rows, groups: [], approvals: approvalsOf(each, nowMs), rules };
  return buildSnapshot(records, (text) => text);
}

function rulesOf(steps: readonly RouteStep[], skipped: boolean): readonly string[] {
  return steps.filter(({ kind }) => kind.endsWith('skipped') === skipped).map(({ ruleId }) => ruleId);
}

function decide(each: MessageCase) {
  const { from, to, workflow: workflowId, chunks: totalChunks = 1, report } = each.message;
  const rules = {
    unknownWorkflows: 'accept',
    askedRegistrations: 'restricted',
    civilRegistration: false,
    internalMailboxes: new Set<MailboxId>(),
    now: () => nowMs,
  } as const;
  const snapshot = snapshotOf(each);
  const toMailbox = to as MailboxId;
  if (report === true) {
    const routed = decideReport(snapshot, { recipient: toMailbox, workflowId }, nowMs);
    const copies = routed?.copies.map(({ mailbox }) => mailbox.mailboxId) ?? [];
    return { to: routed?.mailbox.mailboxId ?? to, copies, steps: routed?.steps ?? [] };
  }
  const outcome = decideRoute(snapshot, { sender: from as MailboxId, to, toMailbox, workflowId, totalChunks, rules });
  switch (outcome.kind) {
    case 'refuse':
      return { refused: errorEntry(outcome.error).code, steps: [] };
    case 'report':
      return { report: errorEntry(outcome.error).code, copies: [], steps: [] };
    case 'deliver': {
      const { mailbox, copies, steps } = outcome;
      return { to: mailbox.mailboxId, copies: copies.map((copy) => copy.mailbox.mailboxId).sort(), steps };
    }
  }
}

describe('the decision where a message goes', () => {
  it.each(messageCases.map((each) => [each.case, each.says, each] as const))('%s: %s', (_case, _says, each) => {
    const { steps, ...became } = decide(each);
    const { to, copies, refused, report, byRules, skipped = [] } = each.expect;
    expect(became).toEqual(JSON.parse(JSON.stringify({ to, copies, refused, report })));
    if (byRules !== undefined) expect(rulesOf(steps, false)).toEqual(byRules);
    if (refused === undefined && report === undefined) expect(rulesOf(steps, true)).toEqual(skipped);
  });
});

describe('a rule that is saved', () => {
  it.each(saveCases.map((each) => [each.case, each.says, each] as const))('%s: %s', (_case, _says, each) => {
    const snapshot = snapshotOf(each);
    const book = new RuleBook(each.rules.map((rule) => ruleOf(rule, nowMs)));
    const approvals = approvalsOf(each, nowMs);
    const problems = checkRule(ruleOf(each.save, nowMs), { snapshot, book, approvals, nowMs });
    if (each.refused === null) expect(problems).toEqual([]);
    else {
      expect(problems.join('\n')).toContain(each.refused);
      for (const problem of problems) expect(problem).toContain(`rule ${each.save.id}: `);
    }
  });
});

it('no two cases say the same', () => {
  const sentences = [...messageCases, ...saveCases].map((each) => `${each.case}: ${each.says}`);
  expect(new Set(sentences).size).toBe(sentences.length);
});
