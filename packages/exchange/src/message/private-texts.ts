import type { MessageId } from '@openmesh/protocol';

/** Header texts that may be personal: kept sealed, never logged, gone when the record is hidden. */
export interface PrivateTexts {
  readonly subject?: string | undefined;
  readonly localId?: string | undefined;
  readonly fileName?: string | undefined;
  readonly partnerId?: string | undefined;
  readonly checksum?: string | undefined;
  readonly contentType?: string | undefined;
}

/** What sealing is asked for; `Sealer` is one. */
export interface TextSealer {
  readonly seal: (text: string, context: string) => string;
  readonly open: (sealed: string, context: string) => string;
  readonly lookupKeys: (text: string, scope: string) => readonly string[];
}

const noTexts: PrivateTexts = {};

/** The message id is bound in, so that texts cannot be moved to another message. '' when there is nothing to keep. */
export function sealTexts(sealer: TextSealer, messageId: MessageId, texts: PrivateTexts): string {
  const text = JSON.stringify(texts);
  return text === '{}' ? '' : sealer.seal(text, `message:${messageId}`);
}

/** Throws the sealer's fault when the texts were changed at rest or their key is missing. */
export function openTexts(sealer: TextSealer, messageId: MessageId, sealed: string): PrivateTexts {
  return sealed === '' ? noTexts : (JSON.parse(sealer.open(sealed, `message:${messageId}`)) as PrivateTexts);
}

/** Digests under which a sender's local id is found: under the key in use first, then under older ones. */
export function localKeys(sealer: TextSealer, sender: string, localId: string): readonly string[] {
  return sealer.lookupKeys(localId, `local-id:${sender}`);
}
