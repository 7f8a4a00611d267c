import { hash } from 'node:crypto';
import type { MessageLedger, NewMessage } from '@openmesh/exchange/store/ledger/messages.ts';
import type { NonceClaim } from '@openmesh/exchange/store/ledger/nonces.ts';
import { createMessageIds, type MailboxId, type MessageId } from '@openmesh/protocol';
import { smallBodyPattern } from '../payload.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export interface LanePlan {
  readonly sender: MailboxId;
  readonly recipient: MailboxId;
  readonly bodyBytesMin: number;
  readonly bodyBytesMax: number;
}

const newMessageId = createMessageIds({
  nowMicros: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
  randomHex6: () =>
    Math.floor(Math.random() * 0x1000000)
      .toString(16)
      .toUpperCase()
      .padStart(6, '0'),
});
const pattern = smallBodyPattern();
/** As long as those of messages with a subject, a local id and a file name. */
const sealed = 'S'.repeat(220);
const sha256 = hash('sha256', pattern, 'hex');

let claims = 0;
function nonceOf(mailbox: MailboxId): NonceClaim {
  const seenAtMs = Date.now();
  claims += 1;
  const nonce = `5f2b64a1-5c3e-4f5b-9f0e-${String(claims).padStart(12, '0')}:1`;
  return { mailbox, nonce, seenAtMs, expiresAtMs: seenAtMs + 4 * hourMs };
}

function newMessage({ sender, recipient }: LanePlan, messageId: MessageId): NewMessage {
  const atMs = Date.now();
  return {
    messageId,
    messageType: 'DATA',
    sender,
    recipient,
    workflowId: 'BENCHMARK_WORKFLOW',
    payloadId: messageId,
    state: 'accepted',
    status: { code: '00', event: 'TRANSFER', description: 'Transferred to recipient mailbox' },
    compressed: false,
    encrypted: false,
    sealed,
    localKey: hash('sha256', messageId, 'hex').slice(0, 24),
    linkedMessageId: null,
    createdAtMs: atMs,
    expiresAtMs: atMs + 5 * dayMs,
    hideAtMs: atMs + 35 * dayMs,
    removeAtMs: atMs + 95 * dayMs,
    events: [{ atMs, actor: sender, kind: 'accepted', detail: '' }],
  };
}

/** Sends, lists, downloads and acknowledges one message, as the exchange asks it of its ledger; throws at a wrong answer. */
export async function liveOnce(ledger: MessageLedger, plan: LanePlan): Promise<void> {
  const { sender, recipient, bodyBytesMin, bodyBytesMax } = plan;
  const messageId = newMessageId();
  const sizeBytes = bodyBytesMin + Math.floor(Math.random() * (bodyBytesMax - bodyBytesMin + 1));
  const inline = new Uint8Array(sizeBytes);
  inline.set(pattern.subarray(0, sizeBytes));
  const chunk = { chunkNumber: 1, sizeBytes, sha256, blockDigests: '', inline, ref: null };
  const keepUntilMs = Date.now() + 35 * dayMs;
  const accepted = await ledger.accept({
    nonce: nonceOf(sender),
    idempotency: null,
    registryVersion: 0,
    payload: { payloadId: messageId, totalChunks: 1, contentEncoding: '', keepUntilMs, key: null, chunk },
    messages: [newMessage(plan, messageId)],
  });
  expect(accepted.kind, 'accepted');
  const query = { mailbox: recipient, afterPosition: 0, limit: 500, filter: null, examineMax: 5000 };
  const page = await ledger.collectPage(query, nonceOf(recipient));
  expect(page.kind === 'page' ? page.entries[0]?.messageId : page.kind, messageId);
  const wanted = { messageId, chunkNumber: 1, states: ['accepted'] as const, nowMs: Date.now() };
  const found = await ledger.collectChunk(wanted, nonceOf(recipient));
  expect(found.kind === 'found' ? found.chunk?.inline?.length : found.kind, sizeBytes);
  const nowMs = Date.now();
  const facts = { firstListedAtMs: nowMs, firstDownloadAtMs: nowMs, lastDownloadAtMs: nowMs, downloads: 1 };
  const collection = { mailbox: recipient, messageId, ...facts };
  const command = { nonce: nonceOf(recipient), mailbox: recipient, messageId, atMs: nowMs, collection };
  expect((await ledger.acknowledge(command)).kind, 'acknowledged');
}

function expect(actual: unknown, wanted: unknown): void {
  if (actual !== wanted) throw new Error(`the ledger answered ${String(actual)} instead of ${String(wanted)}`);
}
