import { versionsOf } from '../../mailbox/routing/change-rules.ts';
import { type DryRunResult, dryRun } from '../../mailbox/routing/dry-run.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, type CommandIo, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { plain, printJson, printTable } from '../print.ts';
import { readCount } from '../read-options.ts';
import { deciderOf } from './rule-session.ts';

const daysDefault = 30;
const daysMax = 90;
const dayMs = 86_400_000;
const progressEvery = 100_000;

function print(result: DryRunResult, days: number, io: CommandIo): void {
  const { examined, redirected, copied, copiesStopped, skipped } = result;
  io.stdout(
    `of ${examined} messages of the last ${days} days it would have redirected ${redirected}, made ${copied} copies, ` +
      `stopped ${copiesStopped} copies of other rules, and done nothing to ${skipped} that it matched\n`,
  );
  const rows = Object.entries(result.byWorkflow).map(([workflow, counts]) => [
    workflow,
    ...[counts.redirected, counts.copied, counts.copiesStopped, counts.skipped].map(String),
  ]);
  if (rows.length > 0) printTable(io, ['workflow', 'redirected', 'copied', 'copies stopped', 'skipped'], rows);
  for (const [why, count] of Object.entries(result.skippedBecause)) io.stdout(`skipped ${count}: ${why}\n`);
  if (result.truncated) io.stderr('not all messages were looked at: there are too many\n');
}

/** `rule dry-run`: what a rule would have done, before anybody approves it. */
export function createRuleDryRun(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'rule dry-run',
    summary: 'show what a rule would have done to the messages of the last days',
    about: [
      'Decides every message of the last days again, with and without the newest version of RULE, as things stand now.',
      'Looks at senders, recipients, workflows and times only, and changes nothing.',
    ].join('\n'),
    positionals: ['RULE'],
    options: { days: { value: 'N', says: `how far back, 1 to ${daysMax} (default ${daysDefault})` } },
    exits: {
      failed: 'there is no such rule',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ positionals, options, json }, io) {
      const ruleId = positionals[0] ?? '';
      const days = readCount('days', options.days, daysDefault, 1, daysMax);
      const tell = (examined: number): void => {
        if (examined % progressEvery === 0 && examined > 0) io.stderr(`looked at ${examined} messages\n`);
      };
      const result = await withSession(open, io, async (session) => {
        const { records, snapshot, nowMs } = await deciderOf(session, world);
        const [rule] = versionsOf(records.rules, ruleId);
        if (rule === undefined) throw new CommandRefusal(exitCodes.failed, `no rule ${plain(ruleId)}; see "rule list"`);
        const when = { sinceMs: nowMs - days * dayMs, nowMs };
        return dryRun({
          ledger: session.ledger.routing,
          snapshot,
          rules: records.rules,
          rule,
          ...when,
          onProgress: tell,
        });
      });
      if (json) printJson(io, { ruleId, days, ...result });
      else print(result, days, io);
      return exitCodes.ok;
    },
  });
}
