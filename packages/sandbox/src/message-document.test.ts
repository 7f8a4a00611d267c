import type { MailboxId, MessageId } from '@openmesh/protocol';
import { expect, it } from 'vitest';
import { readDocument, writeDocument } from './message-document.ts';

const place = {
  file: 'X26ABC2/in/ID_1.json',
  messageId: 'ID_1' as MessageId,
  recipient: 'X26ABC2' as MailboxId,
  nowMs: Date.UTC(2026, 10, 21, 5, 36, 40),
};
const party = { mailboxId: 'X26ABC2', mailboxName: 'TESTMB2', odsCode: 'X26', orgCode: 'X26', orgName: '' };
const sender = { ...party, mailboxId: 'X26ABC1', mailboxName: 'TESTMB1' };

const read = (document: object) =>
  readDocument(JSON.stringify({ sender: { mailbox_id: 'X26ABC1' }, ...document }), place);

it('reads the official sandbox’s document, dates without a zone as UTC', () => {
  const document = {
    message_id: 'id_1',
    recipient: { mailbox_id: 'X26ABC2', mailbox_name: 'TESTMB2' },
    events: [{ status: 'acknowledged', timestamp: '2026-11-20T05:36:40.358935' }, { status: 'accepted' }],
    metadata: { subject: 'S', compressed: true, encrypted: 'Y', content_encoding: 'gzip', partner_id: null },
    workflow_id: 'WF1',
    message_type: 'DATA',
    total_chunks: 2,
    file_size: 5,
    inbox_expiry_timestamp: '2026-11-24T05:36:40',
    created_timestamp: '2026-11-19T05:36:40.000001',
  };
  expect(read(document)).toMatchObject({
    messageId: 'ID_1',
    sender: 'X26ABC1',
    recipient: 'X26ABC2',
    workflowId: 'WF1',
    texts: { subject: 'S', partnerId: undefined },
    compressed: true,
    encrypted: true,
    contentEncoding: 'gzip',
    createdAtMs: Date.UTC(2026, 10, 19, 5, 36, 40),
    expiresAtMs: Date.UTC(2026, 10, 24, 5, 36, 40),
    state: 'acknowledged',
    stateAtMs: Date.UTC(2026, 10, 20, 5, 36, 40, 358),
    totalChunks: 2,
  });
});

it('reads as much as a sender, and takes the rest as just sent', () => {
  expect(read({})).toMatchObject({ state: 'accepted', createdAtMs: place.nowMs, totalChunks: 1, workflowId: '' });
});

it('leaves out an upload that was never finished', () => {
  expect(read({ events: [{ status: 'uploading' }] })).toBeUndefined();
});

it.each([
  [{ sender: null }, 'sender is missing'],
  [{ sender: 'X26ABC1' }, 'sender must be an object'],
  [{ message_id: 'OTHER' }, 'message_id is not the name of the file'],
  [{ events: 'none' }, 'events must be a list'],
  [{ events: [{ status: 'lost' }] }, 'newest event must be one of'],
  [{ total_chunks: 0 }, 'total_chunks must be a number from 1'],
  [{ created_timestamp: 'yesterday' }, 'created_timestamp must be a date'],
  [{ metadata: { subject: 's3cret'.repeat(100) } }, 'subject must be a text of at most'],
  [{ metadata: { content_encoding: 'br' } }, 'content_encoding must be gzip'],
  [{ events: [{ linked_message_id: 'a b' }] }, 'linked_message_id must be a message id'],
])('refuses %j by name of the file and the member, without its value', (document, problem) => {
  expect(() => read(document)).toThrow(problem);
  expect(() => read(document)).toThrow(/^X26ABC2\/in\/ID_1\.json: (?!.*s3cret)/);
});

it('writes what it can read back as the same message', () => {
  const record = {
    messageId: place.messageId,
    messageType: 'DATA',
    sender: 'X26ABC1' as MailboxId,
    recipient: place.recipient,
    workflowId: 'WF1',
    state: 'undeliverable',
    statusCode: '14',
    statusEvent: 'SEND',
    statusDescription: 'gone',
    compressed: true,
    encrypted: false,
    sealed: '',
    linkedMessageId: null,
    createdAtMs: place.nowMs - 5000,
    acceptedAtMs: place.nowMs - 4000,
    expiresAtMs: place.nowMs + 1000,
    stateAtMs: place.nowMs - 1000,
    acknowledgedAtMs: null,
    hideAtMs: place.nowMs + 9000,
    payloadId: 'ID_1',
    totalChunks: 3,
    sizeBytes: 12,
    contentEncoding: 'gzip',
    payloadDeleted: false,
    firstListedAtMs: null,
    firstDownloadAtMs: null,
    lastDownloadAtMs: null,
    downloads: 0,
    addressedTo: null,
    madeAs: null,
    originId: null,
  } as const;
  const texts = { subject: 'S', fileName: 'a.txt', localId: 'l1', checksum: 'abc', contentType: 'text/plain' };
  const again = readDocument(writeDocument(record, texts, sender, party), place);
  expect(again).toMatchObject({
    texts,
    sender: 'X26ABC1',
    state: 'undeliverable',
    status: { code: '14', event: 'SEND', description: 'gone' },
    stateAtMs: record.stateAtMs,
    createdAtMs: record.createdAtMs,
    expiresAtMs: record.expiresAtMs,
    totalChunks: 3,
    contentEncoding: 'gzip',
    compressed: true,
  });
});
