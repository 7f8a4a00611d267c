import { rulesToLookAt } from '../../mailbox/routing/change-rules.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { plain, printJson } from '../print.ts';
import { readCount } from '../read-options.ts';
import { deciderOf } from './rule-session.ts';

const daysDefault = 30;
const daysMax = 366;
const dayMs = 86_400_000;

/** `rule check`: rules that do nothing, soon will, or are due for review. */
export function createRuleCheck(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'rule check',
    summary: 'list rules that want looking at: targets gone, reviews due, approvals ending',
    about: [
      'Checks every approved rule as things stand now: a target that is not active or no longer registered, an approval or',
      'a rule that ends soon, a review that is due. Made to be run by a scheduler: it ends with 1 when there is something.',
    ].join('\n'),
    positionals: [],
    options: { days: { value: 'N', says: `what ends within so many days (default ${daysDefault})` } },
    exits: {
      failed: 'there are rules to look at',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const days = readCount('days', options.days, daysDefault, 1, daysMax);
      const found = await withSession(open, io, async (session) =>
        [...rulesToLookAt(await deciderOf(session, world), days * dayMs)].flatMap(({ problems }) => problems),
      );
      if (json) printJson(io, { found });
      else for (const line of found) io.stdout(`${plain(line)}\n`);
      return found.length === 0 ? exitCodes.ok : exitCodes.failed;
    },
  });
}
