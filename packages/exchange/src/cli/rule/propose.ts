import type { MailboxId } from '@openmesh/protocol';
import { EntryProblem, parseInstant, ruleId as readRuleId } from '../../mailbox/import/member-readers.ts';
import { proposeRule, type RuleDraft } from '../../mailbox/routing/change-rules.ts';
import { reviewWithinMs } from '../../mailbox/routing/check-rule.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { printJson } from '../print.ts';
import { readMailboxId, readWord } from '../read-options.ts';
import { changeRules } from './rule-session.ts';
import { ruleView } from './show.ts';

const options = {
  action: { value: 'copy|redirect', says: 'what is done with matching messages (needed)' },
  target: { value: 'MAILBOX', says: 'where the copy, or the message itself, goes (needed)' },
  'if-recipient': { value: 'MAILBOX', says: 'messages addressed to it; needed for a redirect' },
  'if-sender': { value: 'MAILBOX', says: 'messages from it' },
  'if-workflow': { value: 'WORKFLOW', says: 'messages of this workflow' },
  'include-reports': { says: 'reports too, which are left alone otherwise' },
  approval: { value: 'APPROVAL', says: 'the approval of the target organisation; needed for a restricted workflow' },
  from: { value: 'DATE', says: 'has effect from then on (default: as soon as it is approved)' },
  to: { value: 'DATE', says: 'has effect until then (default: without end)' },
  'review-on': { value: 'DATE', says: 'when it is looked at again, within 12 months of its beginning (needed)' },
  reason: { value: 'TEXT', says: 'what it is for (needed)' },
  'lawful-basis': { value: 'TEXT', says: 'on what basis the target may have the messages (needed)' },
  'requested-by': { value: 'NAME', says: 'who asked for it (needed)' },
  'agreed-by-recipient': { value: 'TEXT', says: "reference of the agreement of the recipient's organisation" },
  'agreed-by-target': { value: 'TEXT', says: "reference of the agreement of the target's organisation" },
  'sender-reason': { value: 'TEXT', says: 'why the sender may get copies of its own messages' },
  'confirm-chain': { says: 'that it leads to, or on from, another redirect is meant' },
  'confirm-fallback': { says: 'that copies it stops are made again when it ends is known' },
} as const;

type Given = Readonly<Partial<Record<keyof typeof options, string>>>;

function needed(given: Given, option: keyof typeof options): string {
  const text = given[option];
  if (text === undefined || text === '') throw new CommandRefusal(exitCodes.usage, `--${option} is needed`);
  return text;
}

function date(given: Given, option: 'from' | 'to' | 'review-on'): number | undefined {
  const text = given[option];
  const ms = text === undefined ? undefined : parseInstant(text);
  if (text === undefined || ms !== undefined) return ms;
  throw new CommandRefusal(exitCodes.badInput, `--${option} must be a date like 2026-11-21 or 2026-11-21T05:36:40Z`);
}

function draftOf(text: string, given: Given, nowMs: number): RuleDraft {
  const ruleId = readId(text);
  const mailbox = (option: 'if-sender' | 'if-recipient'): MailboxId | null =>
    given[option] === undefined ? null : readMailboxId(given[option]);
  const action = readWord('action', needed(given, 'action'), ['copy', 'redirect']) ?? 'copy';
  const activeFromMs = date(given, 'from') ?? nowMs;
  needed(given, 'review-on');
  return {
    ruleId,
    action,
    target: readMailboxId(needed(given, 'target')),
    ifSender: mailbox('if-sender'),
    ifRecipient: mailbox('if-recipient'),
    workflowId: given['if-workflow'] ?? null,
    includeReports: given['include-reports'] !== undefined,
    approvalId: given.approval ?? null,
    chainConfirmed: given['confirm-chain'] !== undefined,
    fallbackConfirmed: given['confirm-fallback'] !== undefined,
    activeFromMs,
    activeToMs: date(given, 'to') ?? null,
    reviewOnMs: date(given, 'review-on') ?? activeFromMs + reviewWithinMs,
    reason: needed(given, 'reason'),
    lawfulBasis: needed(given, 'lawful-basis'),
    requestedBy: needed(given, 'requested-by'),
    agreedByRecipient: given['agreed-by-recipient'] ?? '',
    agreedByTarget: given['agreed-by-target'] ?? '',
    senderReason: given['sender-reason'] ?? '',
  };
}

function readId(text: string): string {
  try {
    return readRuleId(text);
  } catch (error) {
    throw error instanceof EntryProblem ? new CommandRefusal(exitCodes.badInput, `RULE ${error.message}`) : error;
  }
}

/** `rule propose`: a rule, or the next version of one, that somebody else has to approve. */
export function createRulePropose(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'rule propose',
    summary: 'propose a rule, or the next version of one',
    about: [
      'Proposes RULE: messages that match every --if are copied to the target or redirected to it. It has no effect until',
      'somebody else approves it. "rule dry-run" shows what it would have done to the messages of the last days. A rule that',
      'exists is changed by proposing its next version; the version in force stays until that one begins.',
    ].join('\n'),
    positionals: ['RULE'],
    options,
    exits: {
      failed: 'the rule may not be: every reason is listed',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options: given, json }, io) {
      const done = await withSession(open, io, (session) =>
        changeRules(session, world, 'rule.propose', (by) =>
          proposeRule(draftOf(positionals[0] ?? '', given, by.nowMs), by),
        ),
      );
      if (json) printJson(io, { rule: ruleView(done.rule), version: done.version });
      else {
        const { ruleId, version } = done.rule;
        io.stdout(`proposed version ${version} of ${ruleId}; "rule dry-run ${ruleId}" shows what it would have done\n`);
      }
      return exitCodes.ok;
    },
  });
}
