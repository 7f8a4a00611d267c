import { asks, tells } from '../question.ts';

export const listWrappedKeys = asks<{ payloadId: string; keyId: string; wrapped: string }>(
  'list-wrapped-keys',
  `select payload_id as "payloadId", key_id as "keyId", wrapped_key as wrapped from payload
   where payload_id > $1 and key_id <> $2 order by payload_id limit $3 + 0`,
);

export const replaceWrappedKey = tells(
  'replace-wrapped-key',
  'update payload set key_id = $2, wrapped_key = $3 where payload_id = $1 and wrapped_key = $4',
);

export const countWrappedKeys = asks<{ keyId: string; count: number }>(
  'count-wrapped-keys',
  'select key_id as "keyId", count(*) as count from payload where key_id is not null group by key_id order by key_id',
);

export const listSealedTexts = asks<{
  messageId: string;
  owner: string | null;
  sealed: string;
  localKey: string | null;
}>(
  'list-sealed-texts',
  `select message_id as "messageId", coalesce(sender, addressed_to, recipient) as owner, sealed, local_key as "localKey"
   from message
   where message_id > $1 and sealed <> '' and substr(sealed, 1, 24) <> $2 order by message_id limit $3 + 0`,
);

export const replaceSealedTexts = tells(
  'replace-sealed-texts',
  'update message set sealed = $2, local_key = $3 where message_id = $1 and sealed = $4',
);

export const countSealedTexts = asks<{ beginning: string; count: number }>(
  'count-sealed-texts',
  `select substr(sealed, 1, 24) as beginning, count(*) as count from message
   where sealed <> '' group by substr(sealed, 1, 24) order by 1`,
);
