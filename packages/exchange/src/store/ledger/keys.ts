import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { WrappedKey } from './messages.ts';

export interface PayloadKeyRow {
  readonly payloadId: string;
  readonly key: WrappedKey;
}

/** A payload's key wrapped anew: nothing happens when it is no longer `from`. */
export interface PayloadKeyChange extends PayloadKeyRow {
  readonly from: WrappedKey;
}

/** What a message keeps under the secret key. */
export interface SealedTextRow {
  readonly messageId: MessageId;
  /** Whose local id `localKey` finds: the sender, or the mailbox that a report was made for. */
  readonly owner: MailboxId | null;
  readonly sealed: string;
  readonly localKey: string | null;
}

/** Texts sealed anew: nothing happens when they are no longer `from`. */
export interface SealedTextChange extends Pick<SealedTextRow, 'messageId' | 'sealed' | 'localKey'> {
  readonly from: string;
}

/** So many of what is kept under a key. */
export interface KeyUse {
  readonly keyId: string;
  readonly count: number;
}

export interface TextUse {
  /** The first 24 characters of a sealed text, which name its key. */
  readonly beginning: string;
  readonly count: number;
}

/**
 * What keys keep, for whoever changes keys. Each list walks the ids in their order, so that one that cannot be changed
 * does not come again; each change may be applied twice.
 */
export interface KeyLedger {
  /** Keys of payloads that are wrapped under another key than this. */
  wrappedKeys(query: { afterId: string; exceptKeyId: string; limit: number }): Promise<readonly PayloadKeyRow[]>;
  /** Resolves to how many were changed. */
  replaceWrappedKeys(changes: readonly PayloadKeyChange[]): Promise<number>;
  /** Texts that do not begin as those sealed under the key in use. */
  sealedTexts(query: { afterId: string; exceptBeginning: string; limit: number }): Promise<readonly SealedTextRow[]>;
  replaceSealedTexts(changes: readonly SealedTextChange[]): Promise<number>;
  /** Counts all of it, by key: seconds on a ledger of millions. */
  uses(): Promise<{ readonly payloads: readonly KeyUse[]; readonly texts: readonly TextUse[] }>;
}
