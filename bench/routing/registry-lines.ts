import { odsCode } from '../certificates.ts';
import type { MailboxPair } from '../lifecycle/operations.ts';

export interface RegistrySize {
  readonly mailboxes: number;
  readonly registrations: number;
  readonly rules: number;
}

const workflows = 400;
const workflowOf = (index: number): string => `BENCHWF${index % workflows}`;
const mailboxOf = (index: number): string => `LOAD${String(index).padStart(6, '0')}`;
const ruleDates = { activeFrom: '2020-01-01', reviewOn: '2020-12-01' };
const papers = {
  reason: 'load',
  lawfulBasis: 'none',
  requestedBy: 'benchmark',
  agreedByRecipient: 'yes',
  agreedByTarget: 'yes',
  proposedBy: 'one',
  proposedAt: '2020-01-01',
  decidedBy: 'two',
  decidedAt: '2020-01-02',
};

/**
 * The lines of an import that makes a registry of this size around the mailboxes of the benchmark. No rule matches the
 * benchmark's messages, and each of its recipients has rules of its own that could: what is measured is the looking.
 */
export function* registryLines(size: RegistrySize, pairs: readonly MailboxPair[]): Generator<object> {
  for (let n = 0; n < workflows; n += 1) yield { kind: 'workflow', workflowId: workflowOf(n) };
  for (let n = 0; n < size.mailboxes; n += 1) {
    yield { kind: 'mailbox', mailboxId: mailboxOf(n), name: mailboxOf(n), odsCode: `O${n % 9000}`, orgCode: odsCode };
  }
  const perWorkflow = Math.ceil(size.registrations / workflows);
  for (let n = 0; n < size.registrations; n += 1) {
    const mailboxId = mailboxOf((n % perWorkflow) * 7 + Math.floor(n / perWorkflow));
    yield { kind: 'registration', mailboxId, workflowId: workflowOf(Math.floor(n / perWorkflow)), role: 'responder' };
  }
  for (let n = 0; n < size.rules; n += 1) {
    const pair = pairs[n % pairs.length];
    const ifRecipient = n % 2 === 0 && pair !== undefined ? pair.recipient.mailbox : mailboxOf(n);
    const terms = n % 3 === 0 ? { action: 'redirect' } : { action: 'copy' };
    const conditions = { ifRecipient, ifWorkflow: workflowOf(n), ifSender: n % 5 === 0 ? mailboxOf(n + 1) : null };
    const target = mailboxOf((n + 13) % size.mailboxes);
    yield {
      kind: 'rule',
      ruleId: `load-${n}`,
      version: 1,
      status: 'approved',
      ...terms,
      target,
      ...conditions,
      ...ruleDates,
      ...papers,
    };
  }
}
