import type { ChunkNumber, MailboxId, MessageId } from '@openmesh/protocol';
import type { PayloadKeys } from '../keys/payload-keys.ts';
import { SealFault } from '../keys/seal-fault.ts';
import { type Bodies, type BodyBlock, BodyFault } from '../store/bodies.ts';
import type { ChunkRecord, MessageRecord } from '../store/ledger/message-records.ts';
import type { FoundChunk, MessageLedger } from '../store/ledger/messages.ts';
import type { NonceClaim, NonceLedger } from '../store/ledger/nonces.ts';
import type { CollectionNotes } from './collection.ts';
import { isDownloadable, storedStates } from './lifecycle.ts';
import { type ChunkBytes, openChunk } from './open-chunk.ts';
import { openTexts, type PrivateTexts, type TextSealer } from './private-texts.ts';
import { type NotDone, type Refused, refuse } from './refused.ts';
import type { ServiceClock } from './service-clock.ts';

export interface Downloaded {
  readonly kind: 'found';
  readonly message: MessageRecord;
  readonly texts: PrivateTexts;
  /** null for a report, which has no body. */
  readonly content: ChunkContent | null;
}

/** A chunk's bytes as sent: whole when small, else block by block, each checked before it is handed on. */
export type ChunkContent =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'blocks';
      readonly sizeBytes: number;
      readonly blocks: AsyncIterable<BodyBlock>;
      /** Lets go of the body when it is not read after all. */
      readonly giveUp: () => Promise<void>;
    };

export interface DownloadRequest {
  readonly mailbox: MailboxId;
  readonly messageId: MessageId;
  readonly chunkNumber: ChunkNumber;
  readonly nonce: NonceClaim | null;
}

export interface DownloadParts {
  readonly ledger: Pick<MessageLedger, 'findWithChunk' | 'collectChunk' | 'find' | 'addEvent'>;
  readonly nonces: NonceLedger;
  readonly bodies: Pick<Bodies, 'read'>;
  readonly payloadKeys: Pick<PayloadKeys, 'open'>;
  readonly sealer: TextSealer;
  readonly collection: CollectionNotes;
  readonly clock: ServiceClock;
  /** Sandbox rules: an acknowledged message is still served. */
  readonly servesAcknowledged: boolean;
}

/**
 * One chunk for its recipient; changes nothing. Throws `BodyFault` 'corrupt' when the bytes at rest are not those that
 * were accepted, after writing the finding to the message's timeline.
 */
export function createDownload(parts: DownloadParts): (request: DownloadRequest) => Promise<Downloaded | NotDone> {
  return async ({ mailbox, messageId, chunkNumber, nonce }) => {
    const found = await find(parts, messageId, chunkNumber, nonce);
    if (found.kind === 'nonce-used') return found;
    if (found.kind === 'unknown' || found.message.hideAtMs <= parts.clock.nowMs())
      return refuse('message-does-not-exist', 'the message is not known', messageId);
    const { message, chunk } = found;
    if (message.recipient !== mailbox)
      return refuse('forbidden', `the message is not in the inbox of ${mailbox}`, messageId);
    if (!isDownloadable(message.state, parts.servesAcknowledged) || message.payloadDeleted)
      return refuse('message-gone', `the message is ${message.state}`, messageId);
    const isReport = message.messageType === 'REPORT';
    if (chunk === null && !isReport)
      return refuse('message-does-not-exist', `there is no chunk ${chunkNumber}`, messageId);
    const texts = openTexts(parts.sealer, messageId, message.sealed);
    const content = chunk === null ? null : await open(parts, { message, chunk, key: found.key });
    // Last, when nothing of the answer can fail any more but the way to the caller: a 503 must not use the token up.
    const used = found.claimed || nonce === null ? null : await claimFor(parts, nonce, content);
    if (used?.kind === 'nonce-used') return used;
    parts.collection.downloaded(mailbox, message.messageId, parts.clock.nowMs());
    return { kind: 'found', message, texts, content };
  };
}

/** Unless the nonce is claimed, the body that was opened is let go of: also where nobody can say whether it is. */
async function claimFor(
  { nonces }: DownloadParts,
  nonce: NonceClaim,
  content: ChunkContent | null,
): ReturnType<NonceLedger['claim']> {
  let isClaimed = false;
  try {
    const outcome = await nonces.claim(nonce);
    isClaimed = outcome.kind === 'claimed';
    return outcome;
  } finally {
    if (!isClaimed && content?.kind === 'blocks') await content.giveUp();
  }
}

async function find(
  { ledger, clock, servesAcknowledged }: DownloadParts,
  messageId: MessageId,
  chunkNumber: ChunkNumber,
  nonce: NonceClaim | null,
): ReturnType<MessageLedger['collectChunk']> {
  if (nonce !== null) {
    const states = storedStates.filter((state) => isDownloadable(state, servesAcknowledged));
    return ledger.collectChunk({ messageId, chunkNumber, states, nowMs: clock.nowMs() }, nonce);
  }
  const found = await ledger.findWithChunk(messageId, chunkNumber);
  return found === null ? { kind: 'unknown' } : { kind: 'found', claimed: false, ...found };
}

type Stored = FoundChunk & { readonly chunk: ChunkRecord };

async function open(parts: DownloadParts, stored: Stored): Promise<ChunkContent> {
  const opened = await openStored(parts, stored).catch(async (error: unknown) => {
    await noteDamage(parts, stored, error);
    throw error;
  });
  if (opened.kind === 'inline') return opened;
  return { kind: 'blocks', sizeBytes: stored.chunk.sizeBytes, ...(await begin(noted(parts, stored, opened.blocks))) };
}

async function openStored(parts: DownloadParts, { message, chunk, key: wrapped }: Stored): Promise<ChunkBytes> {
  const { payloadId } = message;
  const key = wrapped === null || payloadId === null ? null : await parts.payloadKeys.open(payloadId, wrapped);
  return openChunk(parts.bodies, chunk, key);
}

/** Reads and checks the first block now, so that what is wrong with it is known before anything is promised. */
async function begin(
  rest: AsyncGenerator<BodyBlock>,
): Promise<{ blocks: AsyncIterable<BodyBlock>; giveUp: () => Promise<void> }> {
  let first: IteratorResult<BodyBlock> | undefined = await rest.next();
  const iterator: AsyncIterator<BodyBlock> = {
    next() {
      const step = first;
      first = undefined;
      return step === undefined ? rest.next() : Promise.resolve(step);
    },
    return: () => rest.return(undefined),
  };
  const giveUp = async (): Promise<void> => {
    if (first?.done === false) first.value.release();
    await rest.return(undefined);
  };
  return { blocks: { [Symbol.asyncIterator]: () => iterator }, giveUp };
}

async function* noted(
  parts: DownloadParts,
  stored: Stored,
  blocks: AsyncIterable<BodyBlock>,
): AsyncGenerator<BodyBlock> {
  try {
    yield* blocks;
  } catch (error) {
    await noteDamage(parts, stored, error);
    throw error;
  }
}

/** Writes to the message's timeline what is wrong with its bytes, or with the key that opens them. */
async function noteDamage(parts: DownloadParts, { message, chunk }: Stored, error: unknown): Promise<void> {
  const damage = describeDamage(error);
  if (damage === undefined) return;
  const detail = `${damage.kind}: chunk ${chunk.chunkNumber}${damage.where}`;
  const event = { atMs: parts.clock.nowMs(), actor: 'exchange', kind: 'bytes-damaged', detail };
  await parts.ledger.addEvent(message.messageId, event);
}

/** undefined for what may be better next time: a key that is not at hand, a disk that does not answer. */
function describeDamage(error: unknown): { readonly kind: string; readonly where: string } | undefined {
  if (error instanceof SealFault) return error.kind === 'unknown-key' ? undefined : { kind: 'corrupt', where: ', key' };
  if (!(error instanceof BodyFault) || (error.kind !== 'corrupt' && error.kind !== 'missing')) return undefined;
  return { kind: error.kind, where: error.block === undefined ? '' : `, block ${error.block + 1}` };
}

/**
 * The headers of a message without its bytes. Also for its sender, in any state; for anybody else the
 * message does not exist.
 */
export function createInspect(
  parts: Omit<DownloadParts, 'bodies' | 'payloadKeys' | 'collection' | 'nonces'>,
): (request: { mailbox: MailboxId; messageId: MessageId }) => Promise<Downloaded | Refused> {
  return async ({ mailbox, messageId }) => {
    const message = await parts.ledger.find(messageId);
    if (message === null || message.hideAtMs <= parts.clock.nowMs())
      return refuse('message-does-not-exist', 'the message is not known', messageId);
    // A copy is its target's alone: whoever sent the original knows nothing of it.
    const isSender = message.sender === mailbox && message.madeAs !== 'copy';
    if (message.recipient !== mailbox && !isSender)
      return refuse('message-does-not-exist', `the message is neither to nor from ${mailbox}`, messageId);
    if (!isSender && (!isDownloadable(message.state, parts.servesAcknowledged) || message.payloadDeleted))
      return refuse('message-gone', `the message is ${message.state}`, messageId);
    const texts = openTexts(parts.sealer, messageId, message.sealed);
    return { kind: 'found', message, texts, content: null };
  };
}
