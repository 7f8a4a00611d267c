import { setImmediate as nextTurn } from 'node:timers/promises';
import { type RuleDecider, rulesToLookAt } from '../mailbox/routing/change-rules.ts';
import type { Alert, AlertLedger } from '../store/ledger/alerts.ts';
import type { Job } from './clockwork.ts';

const dayMs = 86_400_000;
const checkEveryMs = 3_600_000;
const tellEveryMs = 60_000;
const forgetAfterMs = 30 * dayMs;
/** What nobody could be told for so long is no news any more; it stays in the ledger's own lists. */
const newsMs = 7 * dayMs;
const batch = 100;
/** Rules looked at in one turn of the event loop. */
const rulesATurn = 20;

export const ruleAlertCode = 'rule-check';

/** Notes what is wrong with rules in force, and notes it again as long as it stays so. */
export function ruleAlertsJob(parts: {
  readonly ledger: Pick<AlertLedger, 'raise'>;
  readonly decider: () => Promise<Omit<RuleDecider, 'actor'>>;
  /** How long before its end a rule or an approval is spoken of. */
  readonly soonMs: number;
  /** How long until somebody who was told is told again. */
  readonly againAfterMs: number;
}): Job {
  return {
    name: 'rule-alerts',
    atStart: true,
    everyMs: checkEveryMs,
    async run(signal) {
      const decider = { ...(await parts.decider()), actor: 'exchange' };
      const { nowMs } = decider;
      const alerts: Alert[] = [];
      let looked = 0;
      for (const { ruleId, problems } of rulesToLookAt(decider, parts.soonMs)) {
        if (problems.length > 0) alerts.push({ code: ruleAlertCode, subject: ruleId, sentence: problems.join('; ') });
        looked += 1;
        if (looked % rulesATurn === 0) await nextTurn();
        if (signal.aborted) return;
      }
      for (let from = 0; from < alerts.length; from += batch) {
        const some = alerts.slice(from, from + batch);
        await parts.ledger.raise({ alerts: some, atMs: nowMs, againIfToldBeforeMs: nowMs - parts.againAfterMs });
      }
    },
  };
}

/** Tells what there is to tell, each until it was told once, and forgets what was so long ago. */
export function tellAlertsJob(parts: {
  readonly ledger: Pick<AlertLedger, 'untold' | 'told' | 'forget'>;
  readonly clock: { nowMs(): number };
  /** Whether it was told; undefined: nobody wants to be told. */
  readonly tell: ((alert: Alert) => Promise<boolean>) | undefined;
}): Job {
  const { ledger, clock, tell } = parts;
  return {
    name: 'tell-alerts',
    everyMs: tellEveryMs,
    async run(signal) {
      const nowMs = clock.nowMs();
      while (!signal.aborted && (await ledger.forget({ beforeMs: nowMs - forgetAfterMs, limit: batch })) === batch)
        continue;
      if (tell === undefined) return;
      while (!signal.aborted) {
        const alerts = await ledger.untold({ seenSinceMs: nowMs - newsMs, limit: batch });
        for (const alert of alerts) {
          // Whoever could not be told this cannot be told the next either: all of it again in the next round.
          if (signal.aborted || !(await tell(alert))) return;
          await ledger.told({ alert, atMs: clock.nowMs() });
        }
        if (alerts.length < batch) return;
      }
    },
  };
}
