import { asks, tells } from '../question.ts';

export const listRouting = asks<{ messageId: string; createdAtMs: number; acceptedAtMs: number }>(
  'list-routing',
  `select message_id as "messageId", created_at_ms as "createdAtMs",
     coalesce(accepted_at_ms, created_at_ms) as "acceptedAtMs" from message
   where state = 'routing' and (created_at_ms, message_id) > ($1, $2)
   order by created_at_ms, message_id limit $3 + 0`,
);

export const resolveMessage = tells(
  'resolve-message',
  `update message set state = $2, recipient = $3, status_code = $4, status_event = $5, status_description = $6,
     sealed = $7, state_at_ms = $8, hide_at_ms = $9, remove_at_ms = $10
   where message_id = $1`,
);
