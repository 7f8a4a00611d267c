import type { MailboxId, MessageId } from '@openmesh/protocol';
import type {
  KeyUse,
  PayloadKeyChange,
  PayloadKeyRow,
  SealedTextChange,
  SealedTextRow,
  TextUse,
} from '../../ledger/keys.ts';
import { all, run, type Talk } from '../question.ts';
import * as q from '../questions/keys.ts';

export function* wrappedKeys(query: {
  afterId: string;
  exceptKeyId: string;
  limit: number;
}): Talk<readonly PayloadKeyRow[]> {
  const rows = yield* all(q.listWrappedKeys, query.afterId, query.exceptKeyId, query.limit);
  return rows.map(({ payloadId, keyId, wrapped }) => ({ payloadId, key: { keyId, wrapped } }));
}

export function* replaceWrappedKeys(changes: readonly PayloadKeyChange[]): Talk<number> {
  let changed = 0;
  for (const { payloadId, key, from } of changes) {
    changed += yield* run(q.replaceWrappedKey, payloadId, key.keyId, key.wrapped, from.wrapped);
  }
  return changed;
}

export function* sealedTexts(query: {
  afterId: string;
  exceptBeginning: string;
  limit: number;
}): Talk<readonly SealedTextRow[]> {
  const rows = yield* all(q.listSealedTexts, query.afterId, query.exceptBeginning, query.limit);
  return rows.map((row) => ({
    ...row,
    messageId: row.messageId as MessageId,
    owner: row.owner as MailboxId | null,
  }));
}

export function* replaceSealedTexts(changes: readonly SealedTextChange[]): Talk<number> {
  let changed = 0;
  for (const { messageId, sealed, localKey, from } of changes) {
    changed += yield* run(q.replaceSealedTexts, messageId, sealed, localKey, from);
  }
  return changed;
}

export function* keyUses(): Talk<{ readonly payloads: readonly KeyUse[]; readonly texts: readonly TextUse[] }> {
  return { payloads: yield* all(q.countWrappedKeys), texts: yield* all(q.countSealedTexts) };
}
