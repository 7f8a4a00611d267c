import {
  approveRule,
  endRule,
  type RuleChange,
  type RuleDecider,
  refuseRule,
} from '../../mailbox/routing/change-rules.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { printJson } from '../print.ts';
import { changeRules } from './rule-session.ts';
import { ruleView } from './show.ts';

interface Decision {
  readonly word: 'approve' | 'refuse' | 'end';
  readonly summary: string;
  readonly about: string;
  readonly did: string;
  readonly decide: (ruleId: string, by: RuleDecider) => RuleChange;
}

const decisions: readonly Decision[] = [
  {
    word: 'approve',
    summary: 'approve the proposed version of a rule',
    about:
      'Approves the proposed version of RULE; whoever proposed it cannot. It is checked again as things stand now, and both\norganisations must have agreed. It has effect on the next message that is accepted.',
    did: 'approved',
    decide: approveRule,
  },
  {
    word: 'refuse',
    summary: 'turn the proposed version of a rule down',
    about: 'Refuses the proposed version of RULE. What is in force stays as it is.',
    did: 'refused',
    decide: refuseRule,
  },
  {
    word: 'end',
    summary: 'end a rule at once',
    about:
      'Ends RULE: from the next message on it has no effect. Messages it has copied or redirected stay where they are, and\ncopies that a redirect stopped are made again.',
    did: 'ended',
    decide: endRule,
  },
];

/** `rule approve`, `rule refuse`, `rule end`. */
export function createRuleDecisions(open: OpenForAdmin, world: Surroundings): readonly Command[] {
  return decisions.map(({ word, summary, about, did, decide }) =>
    defineCommand({
      path: `rule ${word}`,
      summary,
      about,
      positionals: ['RULE'],
      options: {},
      exits: {
        failed: 'it cannot be: every reason is listed',
        unavailable: 'the ledger is away or full',
        config: 'the settings are not good',
      },
      async run({ positionals, json }, io) {
        const ruleId = positionals[0] ?? '';
        const done = await withSession(open, io, (session) =>
          changeRules(session, world, `rule.${word}`, (by) => decide(ruleId, by)),
        );
        if (json) printJson(io, { rule: ruleView(done.rule), version: done.version });
        else io.stdout(`${did} version ${done.rule.version} of ${done.rule.ruleId}\n`);
        return exitCodes.ok;
      },
    }),
  );
}
