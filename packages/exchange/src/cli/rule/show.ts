import { ruleMembers } from '../../mailbox/export-lines.ts';
import { versionsOf } from '../../mailbox/routing/change-rules.ts';
import { conditionsInWords } from '../../mailbox/routing/rule-index.ts';
import type { RuleRecord } from '../../store/ledger/routing-records.ts';
import { type OpenForAdmin, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { instantText, plain, printJson, printTable } from '../print.ts';
import { readCount, readMailboxId, readWord } from '../read-options.ts';

const limitDefault = 100;
const limitMax = 1_000_000;
const statuses = ['proposed', 'approved', 'superseded', 'refused', 'ended'] as const;

/** A rule as --json prints it, under the names of an import line. */
export function ruleView(rule: RuleRecord): object {
  return ruleMembers(rule);
}

function isAbout(rule: RuleRecord, mailbox: string): boolean {
  return [rule.target, rule.ifRecipient, rule.ifSender].some((id) => id === mailbox);
}

/** `rule list`: the newest version of each rule, in order of id. */
export function createRuleList(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'rule list',
    summary: 'list rules',
    about: 'Lists rules in order of id, each with the version that counts or is proposed.',
    positionals: [],
    options: {
      mailbox: { value: 'MAILBOX', says: 'only rules that name it' },
      status: { value: statuses.join('|'), says: 'only versions of this status' },
      limit: { value: 'N', says: `at most so many (default ${limitDefault})` },
    },
    exits: {
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const limit = readCount('limit', options.limit, limitDefault, 1, limitMax);
      const mailbox = options.mailbox === undefined ? undefined : readMailboxId(options.mailbox);
      const status = readWord('status', options.status, statuses);
      const { rules, version } = await withSession(open, io, ({ ledger }) => ledger.registry.load());
      const wanted = rules
        .filter((rule) =>
          status === undefined ? rule.status === 'proposed' || rule.status === 'approved' : rule.status === status,
        )
        .filter((rule) => mailbox === undefined || isAbout(rule, mailbox));
      const shown = wanted.slice(0, limit);
      if (json) {
        printJson(io, { version, found: wanted.length, rules: shown.map(ruleView) });
        return exitCodes.ok;
      }
      const rows = shown.map((rule) => [
        rule.ruleId,
        String(rule.version),
        rule.status,
        rule.action,
        rule.ifSender ?? '*',
        rule.ifRecipient ?? '*',
        rule.target,
        rule.workflowId ?? '*',
        instantText(rule.reviewOnMs).slice(0, 10),
      ]);
      printTable(io, ['rule', 'version', 'status', 'action', 'from', 'to', 'target', 'workflow', 'review'], rows);
      if (wanted.length > shown.length) io.stderr(`${wanted.length - shown.length} more; --limit shows more of them\n`);
      return exitCodes.ok;
    },
  });
}

/** `rule show`: every version of a rule. */
export function createRuleShow(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'rule show',
    summary: 'show every version of a rule',
    about: 'Shows every version of RULE, the newest first: what it says, who asked for it, who agreed, who decided.',
    positionals: ['RULE'],
    options: {},
    exits: {
      failed: 'there is no such rule',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ positionals, json }, io) {
      const ruleId = positionals[0] ?? '';
      const { rules } = await withSession(open, io, ({ ledger }) => ledger.registry.load());
      const versions = versionsOf(rules, ruleId);
      if (versions.length === 0)
        throw new CommandRefusal(exitCodes.failed, `no rule ${plain(ruleId)}; see "rule list"`);
      if (json) printJson(io, { versions: versions.map(ruleView) });
      else {
        for (const rule of versions) {
          io.stdout(`${rule.ruleId} version ${rule.version}, asks for ${conditionsInWords(rule)}\n`);
          for (const [member, value] of Object.entries(ruleMembers(rule))) {
            if (member !== 'ruleId' && member !== 'version') io.stdout(`  ${member}: ${plain(String(value ?? '-'))}\n`);
          }
        }
      }
      return exitCodes.ok;
    },
  });
}
