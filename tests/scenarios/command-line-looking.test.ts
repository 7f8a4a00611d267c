import { createHash } from 'node:crypto';
import { openTexts, sealTexts } from '@openmesh/exchange/message/private-texts.ts';
import type { AcceptCommand, NewMessage } from '@openmesh/exchange/store/ledger/messages.ts';
import { parseMailboxId, parseMessageId } from '@openmesh/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminBench, createAdminBench } from '../kit/admin-command.ts';
import { guardLeaks } from '../kit/leak-guard.ts';

guardLeaks();

let bench: AdminBench;
beforeEach(async () => {
  bench = await createAdminBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const subject = 'Discharge of a patient';

/** One message with a subject, stored as the hall stores it: a report that waits, unless other things are said of it. */
async function storeMessage(
  changed: Partial<NewMessage> = {},
  payload: AcceptCommand['payload'] = null,
): Promise<string> {
  const { ledger, sealer } = await bench.session();
  const messageId = parseMessageId('20261121120000000000_ABCDEF');
  const mailbox = parseMailboxId('A1');
  if (messageId === undefined || mailbox === undefined) throw new Error('both ids are good');
  const sealed = sealTexts(sealer, messageId, { subject, fileName: 'a.dat' });
  expect(openTexts(sealer, messageId, sealed).subject).toBe(subject);
  const outcome = await ledger.messages.accept({
    nonce: null,
    idempotency: null,
    registryVersion: null,
    payload,
    messages: [
      {
        messageId,
        messageType: 'REPORT',
        sender: null,
        recipient: mailbox,
        workflowId: 'WF',
        payloadId: null,
        state: 'accepted',
        status: { code: '00', event: 'TRANSFER', description: 'Transferred to recipient mailbox' },
        compressed: false,
        encrypted: false,
        sealed,
        localKey: null,
        linkedMessageId: null,
        createdAtMs: bench.nowMs,
        expiresAtMs: bench.nowMs + 1000,
        hideAtMs: bench.nowMs + 2000,
        removeAtMs: bench.nowMs + 3000,
        events: [{ atMs: bench.nowMs, actor: 'exchange', kind: 'accepted', detail: 'routed to A1' }],
        ...changed,
      },
    ],
  });
  expect(outcome.kind).toBe('accepted');
  return messageId;
}

async function auditActions(): Promise<readonly string[]> {
  const { ledger } = await bench.session();
  return (await ledger.audit.read({ fromEntryNo: 0, limit: 100 })).map(({ action, subject: of }) => `${action} ${of}`);
}

describe('message show', () => {
  it('shows record and timeline with the lengths of personal texts only, as text and as JSON', async () => {
    const id = await storeMessage();
    const text = await bench.run(['message', 'show', id.toLowerCase()]);
    const json = await bench.run(['message', 'show', id, '--json']);
    expect(text).toMatchObject({ status: 0, err: '' });
    expect(text.out).toMatch(
      /^where: in the inbox of A1 since \S+, never listed by it\nnext: A1 downloads and acknowledges it by /,
    );
    expect(text.out).toContain(`subject: (${subject.length} characters; --reveal shows them)`);
    expect(text.out).toContain('routed to A1');
    expect(JSON.parse(json.out)).toMatchObject({
      standing: { where: expect.stringContaining('in the inbox of A1') },
      message: { messageId: id, recipient: 'A1', state: 'accepted' },
      texts: { subject: { length: subject.length }, fileName: { length: 5 } },
      timeline: [{ kind: 'accepted' }],
      traceId: createHash('sha256').update(id).digest('hex').slice(0, 32),
    });
    expect(text.out + json.out).not.toContain('patient');
    expect(await auditActions()).toEqual([]);
  });

  it('names the chunks that an upload waits for, and does not say that it was transferred', async () => {
    const payloadId = '20261121120000000000_ABCDEF';
    const chunk = {
      chunkNumber: 2,
      sizeBytes: 1,
      sha256: '',
      blockDigests: '',
      inline: new Uint8Array([1]),
      ref: null,
    };
    const payload = {
      payloadId,
      totalChunks: 4,
      contentEncoding: '',
      keepUntilMs: bench.nowMs,
      key: null,
      chunk,
    } as const;
    const id = await storeMessage(
      { messageType: 'DATA', sender: parseMailboxId('A2') ?? null, state: 'uploading', expiresAtMs: null, payloadId },
      payload,
    );
    const { out } = await bench.run(['message', 'show', id]);
    expect(out).toMatch(/^where: in no inbox yet: of its 4 chunks, missing are 1, 3, 4\nnext: A2 sends them; /);
    expect(out).not.toContain('Transferred');
    expect((await bench.run(['message', 'show', id, '--json'])).out).not.toContain('Transferred');
  });

  it('reveals them when asked to, and writes down who asked, but not what was shown', async () => {
    const id = await storeMessage();
    expect((await bench.run(['message', 'show', id, '--reveal'])).out).toContain(`subject: ${subject}\n`);
    expect(await auditActions()).toEqual([`message.show ${id}`]);
    expect((await bench.run(['audit', 'list'])).out).not.toContain('patient');
  });

  it('answers 1 for a message that is not there and 65 for what is no message id', async () => {
    expect(await bench.run(['message', 'show', '20261121120000000000_000000'])).toMatchObject({ status: 1, out: '' });
    expect(await bench.run(['message', 'show', '../x'])).toMatchObject({ status: 65, out: '' });
  });
});

describe('refusals', () => {
  it('finds by mailbox, certificate, address, reason and time, all of them together', async () => {
    const { ledger } = await bench.session();
    const hourMs = 3_600_000;
    const refusal = (refusalId: string, ago: number, mailbox: string | null, address: string, reason: string) => ({
      refusalId,
      atMs: bench.nowMs - ago * hourMs,
      reason,
      detail: 'clock is 61 min behind',
      mailbox,
      operation: 'send-message',
      status: 403,
      address,
      certificateSerial: '0A',
      correlationId: null,
      count: 1,
    });
    await ledger.refusals.record([
      refusal('1', 3, 'A1', '10.0.0.1', 'token-stale'),
      refusal('2', 2, 'A1', '10.0.0.2', 'nonce-used'),
      refusal('3', 1, null, '10.0.0.1', 'tls-failed'),
    ]);
    const find = async (...args: readonly string[]): Promise<readonly string[]> => {
      const { out } = await bench.run(['refusals', '--json', ...args]);
      return (JSON.parse(out) as { refusals: { refusalId: string }[] }).refusals.map(({ refusalId }) => refusalId);
    };
    expect(await find()).toEqual(['3', '2', '1']);
    expect(await find('--mailbox', 'a1')).toEqual(['2', '1']);
    expect(await find('--mailbox', 'A1', '--address', '10.0.0.1')).toEqual(['1']);
    expect(await find('--certificate-serial', '0A', '--reason', 'tls-failed')).toEqual(['3']);
    expect(await find('--since', '150m')).toEqual(['3', '2']);
    expect(await find('--until', '150m')).toEqual(['1']);
    expect(await find('--limit', '1')).toEqual(['3']);
    expect((await bench.run(['refusals'])).out).toContain('clock is 61 min behind');
    expect(await bench.run(['refusals', '--limit', '0'])).toMatchObject({ status: 65 });
  });
});

const entry = (n: number) => ({ atMs: n, actor: 'tester', action: 'test', subject: String(n), detail: '{}' });

async function fill(count: number): Promise<void> {
  const { ledger } = await bench.session();
  for (let n = 1; n <= count; n += 1) await ledger.audit.append(entry(n));
}

async function listAudit(...args: readonly string[]): Promise<readonly number[]> {
  const { out } = await bench.run(['audit', 'list', '--json', ...args]);
  return (JSON.parse(out) as { entries: { entryNo: number }[] }).entries.map(({ entryNo }) => entryNo);
}

describe('audit', () => {
  it('is whole when nobody touched it, and its head stands for all before it', async () => {
    await fill(5);
    const { out } = await bench.run(['audit', 'verify', '--json']);
    const { head } = JSON.parse(out) as { head: string };
    expect(JSON.parse(out)).toMatchObject({ ok: true, entries: 5, problem: null });
    await fill(2);
    expect(await bench.run(['audit', 'verify', '--expect', head])).toMatchObject({ status: 0 });
    const forged = head.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    expect(await bench.run(['audit', 'verify', '--expect', forged])).toMatchObject({ status: 1 });
    const cut = await bench.run(['audit', 'verify', '--expect', head.replace(/^5/, '9')]);
    expect(cut.err).toContain('entries 8 to 9 were cut off');
    expect(await bench.run(['audit', 'verify', '--expect', 'x'])).toMatchObject({ status: 65 });
  });

  it('is found changed, and a missing entry is named, when somebody edits the ledger behind its back', async () => {
    await fill(4);
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(bench.env['OPENMESH_LEDGER']?.replace('sqlite:', '') ?? '');
    try {
      database.exec("update audit set actor = 'nobody' where entry_no = 3");
      expect((await bench.run(['audit', 'verify'])).err).toContain('entry 3 was changed');
      database.exec('delete from audit where entry_no = 2');
      expect(await bench.run(['audit', 'verify', '--json'])).toMatchObject({ status: 1 });
      expect((await bench.run(['audit', 'verify'])).err).toContain('entry 2 is missing: the next one there is 3');
    } finally {
      database.close();
    }
  });

  it('lists the last entries, or from one on', async () => {
    await fill(6);
    expect(await listAudit('--limit', '2')).toEqual([5, 6]);
    expect(await listAudit('--from', '2', '--limit', '3')).toEqual([2, 3, 4]);
  });
});
