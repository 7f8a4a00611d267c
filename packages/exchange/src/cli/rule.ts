import { hostSurroundings, type OpenForAdmin, type Surroundings } from './admin-session.ts';
import { type CommandGroup, groupCommands } from './define-command.ts';
import { createRuleCheck } from './rule/check.ts';
import { createRuleDecisions } from './rule/decide.ts';
import { createRuleDryRun } from './rule/dry-run.ts';
import { createRulePropose } from './rule/propose.ts';
import { createRuleList, createRuleShow } from './rule/show.ts';

/** `rule`: the commands about rules that copy and redirect. */
export function createRuleCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): CommandGroup {
  return groupCommands('rule', 'propose, approve, try and end rules that copy and redirect', [
    createRulePropose(open, world),
    ...createRuleDecisions(open, world),
    createRuleDryRun(open, world),
    createRuleList(open),
    createRuleShow(open),
    createRuleCheck(open, world),
  ]);
}
