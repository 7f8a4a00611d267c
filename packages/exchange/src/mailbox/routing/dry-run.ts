import type { RoutingLedger, TrafficRecord } from '../../store/ledger/routing.ts';
import type { RuleRecord } from '../../store/ledger/routing-records.ts';
import type { RegistrySnapshot } from '../snapshot.ts';
import { applyRules, type Ruled } from './apply-rules.ts';

const pageSize = 5000;
/** Messages looked at; beyond it the answer says that it is not all. */
export const examineMax = 2_000_000;

export interface DryRunCounts {
  redirected: number;
  copied: number;
  /** Copies of other rules that a redirect would have stopped. */
  copiesStopped: number;
  skipped: number;
}

export interface DryRunResult extends Readonly<DryRunCounts> {
  readonly examined: number;
  readonly truncated: boolean;
  readonly byWorkflow: Readonly<Record<string, Readonly<DryRunCounts>>>;
  /** Why the rule would have done nothing, with how often. */
  readonly skippedBecause: Readonly<Record<string, number>>;
  /** The last messages it would have touched. */
  readonly examples: readonly string[];
}

const examplesMax = 5;
const none = (): DryRunCounts => ({ redirected: 0, copied: 0, copiesStopped: 0, skipped: 0 });

interface DryRunParts {
  readonly ledger: Pick<RoutingLedger, 'traffic'>;
  readonly snapshot: RegistrySnapshot;
  readonly rules: readonly RuleRecord[];
  readonly rule: RuleRecord;
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly onProgress?: (examined: number) => void;
}

/**
 * What a rule would have done to what was sent since then, had it been in force: each message is decided twice, with the
 * registry as it is now, without and with the rule. From metadata alone; nothing is changed.
 */
export async function dryRun(parts: DryRunParts): Promise<DryRunResult> {
  const { ledger, snapshot, rule, nowMs } = parts;
  const inForce: RuleRecord = { ...rule, status: 'approved', activeFromMs: 0, activeToMs: null };
  const others = parts.rules.filter(({ ruleId }) => ruleId !== rule.ruleId);
  const without = snapshot.withRules(others);
  const withRule = snapshot.withRules([...others, inForce]);
  const total = none();
  const byWorkflow = new Map<string, DryRunCounts>();
  const because = new Map<string, number>();
  const examples: string[] = [];
  let examined = 0;
  let afterMessageId = dayOf(parts.sinceMs);
  for (;;) {
    const { ifSender: sender, ifRecipient: addressed } = rule;
    const page = await ledger.traffic({ afterMessageId, sender, addressed, limit: pageSize });
    for (const message of page) {
      const found = judge(message, rule, without, withRule, nowMs);
      if (found === undefined) continue;
      const counts = byWorkflow.get(message.workflowId) ?? none();
      byWorkflow.set(message.workflowId, counts);
      for (const key of ['redirected', 'copied', 'copiesStopped', 'skipped'] as const) {
        total[key] += found.counts[key];
        counts[key] += found.counts[key];
      }
      if (found.why !== undefined) because.set(found.why, (because.get(found.why) ?? 0) + 1);
      examples.push(message.messageId);
      if (examples.length > examplesMax) examples.shift();
    }
    examined += page.length;
    parts.onProgress?.(examined);
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize || examined >= examineMax) break;
    afterMessageId = last.messageId;
  }
  const ordered = Object.fromEntries([...byWorkflow].sort(([a], [b]) => (a < b ? -1 : 1)));
  const truncated = examined >= examineMax;
  return { ...total, examined, truncated, byWorkflow: ordered, skippedBecause: Object.fromEntries(because), examples };
}

/** An id below every one of that moment and after: ids begin with the time they were made. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-T:.Z]/g, '');
}

function judge(
  message: TrafficRecord,
  rule: RuleRecord,
  without: RegistrySnapshot,
  withRule: RegistrySnapshot,
  nowMs: number,
): { readonly counts: DryRunCounts; readonly why: string | undefined } | undefined {
  const mailbox = message.addressed === null ? undefined : withRule.mailbox(message.addressed);
  if (mailbox === undefined) return undefined;
  const { sender, workflowId, totalChunks, isReport } = message;
  const subject = { sender, mailbox, workflowId, totalChunks, isReport };
  const after = applyRules(withRule, subject, nowMs);
  const step = after.steps.find(({ ruleId }) => ruleId === rule.ruleId);
  if (step === undefined) return undefined;
  const counts = none();
  switch (step.kind) {
    case 'redirected':
      counts.redirected = 1;
      counts.copiesStopped = stopped(applyRules(without, subject, nowMs), after);
      break;
    case 'copied':
      counts.copied = 1;
      break;
    case 'redirect-skipped':
    case 'copy-skipped':
      counts.skipped = 1;
      return { counts, why: step.why };
  }
  return { counts, why: undefined };
}

function stopped(before: Ruled, after: Ruled): number {
  return Math.max(0, before.copies.length - after.copies.length);
}
