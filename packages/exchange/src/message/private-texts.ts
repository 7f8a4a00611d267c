import type { MessageId } from '@openmesh/protocol';
import { SealFault } from '../mailbox/sealer.ts';
import type { SealedTextRow } from '../store/ledger/keys.ts';

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

/** As it is sealed: while a patient's address waits to be resolved it lies beside the texts, for nobody else to open. */
interface SealedTexts extends PrivateTexts {
  readonly patientAddress?: string | undefined;
}

/** The message id is bound in, so that texts cannot be moved to another message. '' when there is nothing to keep. */
export function sealTexts(
  sealer: TextSealer,
  messageId: MessageId,
  texts: PrivateTexts,
  patientAddress?: string,
): string {
  const sealed: SealedTexts = patientAddress === undefined ? texts : { ...texts, patientAddress };
  const text = JSON.stringify(sealed);
  return text === '{}' ? '' : sealer.seal(text, `message:${messageId}`);
}

/** The same texts and key of look-up under the key in use; a patient's address goes along. Throws the sealer's fault. */
export function resealTexts(
  sealer: TextSealer,
  { messageId, owner, sealed, localKey }: SealedTextRow,
): Pick<SealedTextRow, 'sealed' | 'localKey'> {
  const context = `message:${messageId}`;
  const text = sealer.open(sealed, context);
  const { localId } = JSON.parse(text) as SealedTexts;
  const isFound = localKey !== null && owner !== null && localId !== undefined;
  return {
    sealed: sealer.seal(text, context),
    localKey: isFound ? (localKeys(sealer, owner, localId)[0] ?? null) : localKey,
  };
}

/** Without a patient's address. Throws the sealer's fault when the texts were changed at rest or their key is missing. */
export function openTexts(sealer: TextSealer, messageId: MessageId, sealed: string): PrivateTexts {
  const { patientAddress: _withheld, ...texts } = openSealed(sealer, messageId, sealed);
  return texts;
}

/** As `openTexts`; none of them where they cannot be opened: what has to be said of the message is said without them. */
export function readableTexts(sealer: TextSealer, messageId: MessageId, sealed: string): PrivateTexts {
  try {
    return openTexts(sealer, messageId, sealed);
  } catch (error) {
    if (error instanceof SealFault) return noTexts;
    throw error;
  }
}

/** The address of a patient, while it waits to be resolved; undefined when there is none. Throws as `openTexts`. */
export function openPatientAddress(sealer: TextSealer, messageId: MessageId, sealed: string): string | undefined {
  return openSealed(sealer, messageId, sealed).patientAddress;
}

function openSealed(sealer: TextSealer, messageId: MessageId, sealed: string): SealedTexts {
  return sealed === '' ? noTexts : (JSON.parse(sealer.open(sealed, `message:${messageId}`)) as SealedTexts);
}

/** Digests under which a sender's local id is found: under the key in use first, then under older ones. */
export function localKeys(sealer: TextSealer, sender: string, localId: string): readonly string[] {
  return sealer.lookupKeys(localId, `local-id:${sender}`);
}
