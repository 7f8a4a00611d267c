import { asks, tells } from '../question.ts';

export const raiseAlert = tells(
  'raise-alert',
  `insert into alert (code, subject, sentence, seen_at_ms, told_at_ms) values ($1, $2, $3, $4, null)
   on conflict (code, subject) do update
     set sentence = excluded.sentence, seen_at_ms = excluded.seen_at_ms,
       told_at_ms = case when alert.sentence = excluded.sentence and alert.told_at_ms >= $5 then alert.told_at_ms end`,
);

export const listUntold = asks<{ code: string; subject: string; sentence: string }>(
  'list-untold-alerts',
  `select code, subject, sentence from alert
   where told_at_ms is null and seen_at_ms >= $1 order by seen_at_ms, code, subject limit $2 + 0`,
);

export const markTold = tells(
  'mark-alert-told',
  'update alert set told_at_ms = $4 where code = $1 and subject = $2 and sentence = $3',
);

/** A few hundred rows at the most: an index would be of no use. */
export const forgetAlerts = tells(
  'forget-alerts',
  `delete from alert where (code, subject) in
     (select code, subject from alert where seen_at_ms < $1 limit $2 + 0)`,
);
