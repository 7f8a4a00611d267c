import type { Alert } from '../../ledger/alerts.ts';
import { all, run, type Talk } from '../question.ts';
import * as q from '../questions/alerts.ts';

export function* raiseAlerts(command: {
  alerts: readonly Alert[];
  atMs: number;
  againIfToldBeforeMs: number;
}): Talk<void> {
  const { alerts, atMs, againIfToldBeforeMs } = command;
  for (const { code, subject, sentence } of alerts) {
    yield* run(q.raiseAlert, code, subject, sentence, atMs, againIfToldBeforeMs);
  }
}

export function* untoldAlerts(query: { seenSinceMs: number; limit: number }): Talk<readonly Alert[]> {
  return yield* all(q.listUntold, query.seenSinceMs, query.limit);
}

export function* alertTold({ alert, atMs }: { alert: Alert; atMs: number }): Talk<void> {
  yield* run(q.markTold, alert.code, alert.subject, alert.sentence, atMs);
}

export function* forgetAlerts(command: { beforeMs: number; limit: number }): Talk<number> {
  return yield* run(q.forgetAlerts, command.beforeMs, command.limit);
}
