import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { PayloadKey } from '../keys/payload-key.ts';
import type { PayloadKeys } from '../keys/payload-keys.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { MessageLedger, NewChunk, NewMessage, NewPayload, StatusFacts } from '../store/ledger/messages.ts';
import type { IncomingBody } from './incoming-body.ts';
import { transferredStatus } from './lifecycle.ts';
import { localKeys, type PrivateTexts, sealTexts, type TextSealer } from './private-texts.ts';
import type { ReceiveBody, ReceivedBody } from './receive-body.ts';
import { decideAndCommit } from './route.ts';
import { type LifeSpans, lifeDates } from './service-clock.ts';

/** A message that comes from a fixture, with the id, the dates and the state it has there. */
export interface ImportedMessage {
  readonly messageId: MessageId;
  readonly sender: MailboxId | null;
  readonly recipient: MailboxId;
  readonly workflowId: string;
  readonly texts: PrivateTexts;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  readonly contentEncoding: 'gzip' | '';
  /** Service clock, milliseconds. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly linkedMessageId: MessageId | null;
  readonly state: 'accepted' | 'acknowledged' | 'undeliverable' | 'error';
  readonly stateAtMs: number;
  /** Of a failure, or of what a report tells. */
  readonly status: StatusFacts | undefined;
  /** Opens the bytes of each chunk in turn; null for a report, which has none. */
  readonly chunks: readonly (() => Promise<IncomingBody>)[] | null;
}

export interface ImportMessageParts {
  readonly ledger: Pick<MessageLedger, 'findWithChunk' | 'accept' | 'addChunk' | 'acknowledge' | 'changeState'>;
  readonly registry: Pick<Registry, 'current' | 'reloadIfNewer'>;
  readonly receiveBody: ReceiveBody;
  readonly payloadKeys: PayloadKeys;
  readonly sealer: TextSealer;
  readonly spans: LifeSpans;
  readonly messageBytesMax: number;
}

/** The bytes of a chunk cannot be taken: there are none, or too many. */
export class ImportRefused extends Error {}

const actor = 'fixtures';

/**
 * Takes a message into the ledger once: an id that is there already is left alone, unless its import was broken off
 * between two chunks. Throws `ImportRefused`.
 */
export function createImportMessage(
  parts: ImportMessageParts,
): (message: ImportedMessage) => Promise<'imported' | 'known'> {
  const { ledger } = parts;
  return async (message) => {
    const { messageId, chunks } = message;
    const there = await ledger.findWithChunk(messageId, 1);
    if (there !== null && there.message.state !== 'uploading') return 'known';
    const wrapped = there?.key ?? null;
    const known = wrapped === null ? null : await parts.payloadKeys.open(messageId, wrapped);
    const key = there === null ? await acceptFirst(parts, message) : known;
    const total = chunks?.length ?? 0;
    for (let number = 2; number <= total; number += 1) {
      await addLater(parts, message, (await receive(parts, message, number, key)).keep());
    }
    await moveOn(parts, message);
    return 'imported';
  };
}

async function receive(
  parts: ImportMessageParts,
  message: ImportedMessage,
  number: number,
  key: PayloadKey | null,
): Promise<ReceivedBody> {
  const open = message.chunks?.[number - 1];
  if (open === undefined) throw new Error(`the fixture has no chunk ${number}`);
  const received = await parts.receiveBody(await open(), number, key);
  if (received.kind === 'received') return received;
  throw new ImportRefused(
    `chunk ${number} is ${received.kind === 'empty' ? 'empty' : 'larger than one request may be'}`,
  );
}

async function acceptFirst(parts: ImportMessageParts, message: ImportedMessage): Promise<PayloadKey | null> {
  const { messageId, chunks, createdAtMs, contentEncoding } = message;
  let payload: NewPayload | null = null;
  const key = chunks === null ? null : await parts.payloadKeys.make(messageId);
  if (chunks !== null) {
    const chunk = (await receive(parts, message, 1, key)).keep();
    const { keepUntilMs } = lifeDates(createdAtMs, parts.spans);
    const about = { payloadId: messageId, totalChunks: chunks.length, contentEncoding, keepUntilMs };
    const wrapped = key === null ? null : await parts.payloadKeys.wrappedNow(messageId, key);
    payload = { ...about, key: wrapped, chunk };
  }
  const messages = [newMessage(parts, message)];
  await parts.ledger.accept({ nonce: null, idempotency: null, registryVersion: null, payload, messages });
  return key;
}

function newMessage(parts: ImportMessageParts, message: ImportedMessage): NewMessage {
  const { messageId, sender, chunks, createdAtMs: atMs, texts } = message;
  const dates = lifeDates(atMs, parts.spans);
  const whole = chunks === null || chunks.length === 1;
  const keys = sender === null || texts.localId === undefined ? [] : localKeys(parts.sealer, sender, texts.localId);
  return {
    messageId,
    messageType: chunks === null ? 'REPORT' : 'DATA',
    sender,
    recipient: message.recipient,
    workflowId: message.workflowId,
    payloadId: chunks === null ? null : messageId,
    state: whole ? 'accepted' : 'uploading',
    status: chunks === null ? (message.status ?? transferredStatus) : transferredStatus,
    compressed: message.compressed,
    encrypted: message.encrypted,
    sealed: sealTexts(parts.sealer, messageId, texts),
    localKey: keys[0] ?? null,
    linkedMessageId: message.linkedMessageId,
    createdAtMs: atMs,
    expiresAtMs: whole ? (message.expiresAtMs ?? dates.expiresAtMs) : null,
    hideAtMs: dates.hideAtMs,
    removeAtMs: dates.removeAtMs,
    events: [{ atMs, actor, kind: 'imported', detail: '' }],
  };
}

async function addLater(parts: ImportMessageParts, message: ImportedMessage, chunk: NewChunk): Promise<void> {
  const { messageId, createdAtMs: atMs } = message;
  const { ledger, registry, spans, messageBytesMax } = parts;
  const dates = lifeDates(atMs, spans);
  const outcome = await decideAndCommit(registry, () =>
    ledger.addChunk({
      nonce: null,
      messageId,
      // The ledger holds a chunk against its sender, and a fixture's is whoever the fixture says.
      sender: message.sender ?? message.recipient,
      atMs,
      chunk,
      messageBytesMax,
      completion: {
        registryVersion: registry.current().version,
        state: 'accepted',
        status: transferredStatus,
        ...dates,
        expiresAtMs: message.expiresAtMs ?? dates.expiresAtMs,
        events: [],
        report: null,
      },
    }),
  );
  if (outcome.kind !== 'stored') throw new ImportRefused(`chunk ${chunk.chunkNumber} was not taken`);
}

async function moveOn({ ledger }: ImportMessageParts, message: ImportedMessage): Promise<void> {
  const { messageId, recipient: mailbox, state: to, stateAtMs: atMs } = message;
  if (to === 'accepted') return;
  if (to === 'acknowledged') {
    await ledger.acknowledge({ nonce: null, mailbox, messageId, atMs, collection: null });
    return;
  }
  const status = message.status ?? { code: '', event: '', description: '' };
  const event = { atMs, actor, kind: `set-${to}`, detail: status.code };
  const nothing = { expiresAtMs: null, onlyIfDueAtMs: null, report: null };
  const { linkedMessageId } = message;
  await ledger.changeState({ messageId, from: ['accepted'], to, status, atMs, event, linkedMessageId, ...nothing });
}
