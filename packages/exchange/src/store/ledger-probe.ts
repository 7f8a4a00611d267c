// What tests of ledgers need: whole commands of which a test says only what it is about.
import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { BodyRef } from './bodies.ts';
import type {
  AcceptCommand,
  AcknowledgeCommand,
  AddChunkCommand,
  ChangeStateCommand,
  Completion,
  MessageLedger,
  NewChunk,
  NewMessage,
  NewPayload,
  PageQuery,
} from './ledger/messages.ts';
import type { NonceClaim } from './ledger/nonces.ts';
import type { RefusalRecord } from './ledger/refusals.ts';
import type { RegistryRecords } from './ledger/registry.ts';

export const dayMs = 86_400_000;
/** When the messages of a test are made, on the service clock. */
export const bornAtMs = Date.UTC(2026, 0, 5, 9);

export const alice = 'ALICE' as MailboxId;
export const bob = 'BOB' as MailboxId;
export const carol = 'CAROL' as MailboxId;

/** A registry with nothing in it. */
export const noRecords: Omit<RegistryRecords, 'version'> = {
  mailboxes: [],
  credentials: [],
  sharedKeys: [],
  workflows: [],
  registrations: [],
  groups: [],
  memberships: [],
  approvals: [],
  rules: [],
  certificates: [],
};

export const ref = (name: string): BodyRef => name as BodyRef;

/** The id of the nth message of a test; later ones sort behind. */
export function idOf(n: number): MessageId {
  return `20260105090000${String(n).padStart(6, '0')}_A` as MessageId;
}

export function inlineChunk(bytes: Uint8Array<ArrayBuffer>, chunkNumber = 1): NewChunk {
  const digests = { sha256: `sha-${chunkNumber}`, blockDigests: `blocks-${chunkNumber}` };
  return { chunkNumber, sizeBytes: bytes.length, ...digests, inline: bytes, ref: null };
}

export function durableChunk(name: string, chunkNumber = 1, sizeBytes = 100): NewChunk {
  const digests = { sha256: `sha-${name}`, blockDigests: `blocks-${name}` };
  return { chunkNumber, sizeBytes, ...digests, inline: null, ref: ref(name) };
}

export function newPayload(payloadId: string, changes: Partial<NewPayload> = {}): NewPayload {
  const chunk = inlineChunk(Uint8Array.of(1, 2, 3));
  const keepUntilMs = bornAtMs + 30 * dayMs;
  return { payloadId, totalChunks: 1, contentEncoding: '', keepUntilMs, key: null, chunk, ...changes };
}

/** A message from Alice to Bob, waiting. */
export function newMessage(messageId: MessageId, changes: Partial<NewMessage> = {}): NewMessage {
  return {
    messageId,
    messageType: 'DATA',
    sender: alice,
    recipient: bob,
    workflowId: 'WF',
    payloadId: messageId,
    state: 'accepted',
    status: { code: '00', event: 'TRANSFER', description: 'sent' },
    compressed: false,
    encrypted: false,
    sealed: 'sealed',
    localKey: null,
    linkedMessageId: null,
    createdAtMs: bornAtMs,
    expiresAtMs: bornAtMs + 5 * dayMs,
    hideAtMs: bornAtMs + 30 * dayMs,
    removeAtMs: bornAtMs + 90 * dayMs,
    events: [{ atMs: bornAtMs, actor: 'ALICE', kind: 'accepted', detail: '' }],
    ...changes,
  };
}

export function reportAbout(messageId: MessageId, reportId: MessageId): NewMessage {
  const status = { code: '14', event: 'SEND', description: 'failed' };
  const about = { messageType: 'REPORT', sender: null, recipient: alice, linkedMessageId: messageId } as const;
  return newMessage(reportId, { ...about, payloadId: null, status });
}

export function acceptOf(messages: readonly NewMessage[], changes: Partial<AcceptCommand> = {}): AcceptCommand {
  const payloadId = messages[0]?.payloadId ?? null;
  const payload = payloadId === null ? null : newPayload(payloadId);
  return { nonce: null, idempotency: null, registryVersion: null, payload, messages, ...changes };
}

/** Sends the nth message. */
export async function deliver(ledger: MessageLedger, n: number, changes: Partial<NewMessage> = {}): Promise<MessageId> {
  const outcome = await ledger.accept(acceptOf([newMessage(idOf(n), changes)]));
  if (outcome.kind !== 'accepted') throw new Error(`message ${n} was not taken: ${outcome.kind}`);
  return idOf(n);
}

/** Begins an upload of so many chunks with its first. */
export async function beginUpload(ledger: MessageLedger, n: number, totalChunks: number): Promise<MessageId> {
  const message = newMessage(idOf(n), { state: 'uploading', expiresAtMs: null });
  const payload = newPayload(idOf(n), { totalChunks, chunk: durableChunk(`body-${n}-1`) });
  const outcome = await ledger.accept(acceptOf([message], { payload }));
  if (outcome.kind !== 'accepted') throw new Error(`upload ${n} was not begun: ${outcome.kind}`);
  return idOf(n);
}

export function completionOf(changes: Partial<Completion> = {}): Completion {
  return {
    registryVersion: 0,
    state: 'accepted',
    status: { code: '00', event: 'TRANSFER', description: 'sent' },
    expiresAtMs: bornAtMs + 6 * dayMs,
    keepUntilMs: bornAtMs + 31 * dayMs,
    hideAtMs: bornAtMs + 31 * dayMs,
    removeAtMs: bornAtMs + 91 * dayMs,
    events: [{ atMs: bornAtMs + 1, actor: 'ALICE', kind: 'completed', detail: '' }],
    report: null,
    ...changes,
  };
}

export function addChunkOf(
  messageId: MessageId,
  chunk: NewChunk,
  changes: Partial<AddChunkCommand> = {},
): AddChunkCommand {
  const limits = { atMs: bornAtMs + 1, messageBytesMax: 1_000_000 };
  return { nonce: null, messageId, sender: alice, chunk, ...limits, completion: completionOf(), ...changes };
}

export function acknowledgeOf(messageId: MessageId, changes: Partial<AcknowledgeCommand> = {}): AcknowledgeCommand {
  return { nonce: null, mailbox: bob, messageId, atMs: bornAtMs + 1000, collection: null, ...changes };
}

/** An operator's hand: whatever the state, to `to`. */
export function changeOf(messageId: MessageId, changes: Partial<ChangeStateCommand> = {}): ChangeStateCommand {
  const atMs = bornAtMs + 2000;
  return {
    messageId,
    from: ['uploading', 'routing', 'accepted', 'acknowledged', 'undeliverable', 'error'],
    to: 'undeliverable',
    status: { code: '14', event: 'EXPIRE', description: 'not collected' },
    atMs,
    event: { atMs, actor: 'exchange', kind: 'expired', detail: '' },
    expiresAtMs: null,
    onlyIfDueAtMs: null,
    linkedMessageId: null,
    report: null,
    ...changes,
  };
}

export function pageOf(changes: Partial<PageQuery> = {}): PageQuery {
  return { mailbox: bob, afterPosition: 0, limit: 500, filter: null, examineMax: 5000, ...changes };
}

export async function listed(ledger: MessageLedger, mailbox: MailboxId): Promise<readonly MessageId[]> {
  return (await ledger.inboxPage(pageOf({ mailbox }))).entries.map((entry) => entry.messageId);
}

/** Seen at `bornAtMs`, good for four hours. */
export function nonceOf(nonce: string, changes: Partial<NonceClaim> = {}): NonceClaim {
  return { mailbox: alice, nonce, seenAtMs: bornAtMs, expiresAtMs: bornAtMs + 4 * 3_600_000, ...changes };
}

export function refusalOf(n: number, changes: Partial<RefusalRecord> = {}): RefusalRecord {
  return {
    refusalId: `refusal-${n}`,
    atMs: bornAtMs + n,
    reason: 'token-stale',
    detail: 'the clock is 61 min behind',
    mailbox: null,
    operation: 'send-message',
    status: 403,
    address: null,
    certificateSerial: null,
    correlationId: null,
    count: 1,
    ...changes,
  };
}
