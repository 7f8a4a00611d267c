import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BlockPair,
  type Download,
  fromFile,
  fromRanges,
  MeshError,
  type Progress,
  type UploadState,
} from '@openmesh/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { sdkClient } from '../../kit/sdk-client.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const message = { to: 'X26ABC2', workflowId: 'WF', subject: 'A result', localId: 'ref-1', fileName: 'result.txt' };

async function contentOf(download: Download): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of download) blocks.push(block);
  return Buffer.concat(blocks);
}

describe('the SDK against the exchange, with mutual TLS under the live rules', () => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start();
  });
  afterAll(() => exchange.stop());

  it('validates a mailbox and learns that idempotency keys are taken', async () => {
    await using client = await sdkClient(exchange, 'x26abc1');
    const { takesIdempotencyKeys, serverTimeMs } = await client.handshake();
    expect(takesIdempotencyKeys).toBe(true);
    expect(Math.abs((serverTimeMs ?? 0) - exchange.clock.nowMs())).toBeLessThan(5000);
  });

  it('asks whether a message would be accepted, sends nothing, and says why not', async () => {
    await using client = await sdkClient(exchange, 'X26ABC1');
    await using recipient = await sdkClient(exchange, 'X26ABC2');
    const before = await recipient.count();
    const good = { to: 'X26ABC2', workflowId: 'WF', sizeBytes: 10, totalChunks: 2 };
    expect(await client.preflight(good)).toEqual({
      isAccepted: true,
      recipient: 'X26ABC2',
      objections: [],
      warnings: [],
    });
    const refused = await client.preflight({ to: 'X26NOBODY', workflowId: 'WF' });
    expect(refused).toMatchObject({ isAccepted: false, recipient: undefined, objections: [{ code: '12' }] });
    await expect(client.preflight({ ...good, sizeBytes: -1 })).rejects.toMatchObject({ code: 'invalid-option' });
    expect(await recipient.count()).toBe(before);
  });

  it.each([
    ['as it is', false],
    ['packed on the way', true],
  ])('carries a message %s from one mailbox to the other, and says what became of it', async (_how, gzip) => {
    await using sender = await sdkClient(exchange, 'X26ABC1');
    await using recipient = await sdkClient(exchange, 'X26ABC2');
    const content = Buffer.from('Hello, MESH');
    const sent = await sender.send(message, content, { gzip });
    if (sent.kind !== 'sent') throw sent.cause;
    expect(await sender.track(sent.messageId)).toMatchObject({ status: 'accepted', localId: 'ref-1' });
    expect((await recipient.list()).messages).toContain(sent.messageId);

    const download = await recipient.download(sent.messageId);
    const { metadata } = download;
    expect(metadata).toMatchObject({ type: 'DATA', from: 'X26ABC1', subject: 'A result', fileName: 'result.txt' });
    expect(metadata.headers.get('mex-localid')).toBe('ref-1');
    expect(await contentOf(download)).toEqual(content);

    await recipient.acknowledge(sent.messageId);
    expect((await recipient.list()).messages).not.toContain(sent.messageId);
    expect(await sender.track(sent.messageId)).toMatchObject({ status: 'acknowledged', isSuccess: true });
  });

  it.each([false, true])('carries a file in chunks, tells its state and its progress (gzip: %s)', async (gzip) => {
    await using folder = await temporaryFolder('sdk');
    await using sender = await sdkClient(exchange, 'X26ABC1');
    await using recipient = await sdkClient(exchange, 'X26ABC2');
    const path = join(folder.path, 'large.dat');
    const content = randomBytes(1_050_000);
    writeFileSync(path, content);
    const states: UploadState[] = [];
    const told: Progress[] = [];
    const sent = await sender.send(message, fromFile(path), {
      gzip,
      chunkBytes: 100_000,
      onState: (state) => void states.push(state),
      onProgress: (progress) => void told.push(progress),
    });
    if (sent.kind !== 'sent') throw sent.cause;
    expect(sent.totalChunks).toBe(11);
    expect(states.map(({ done }) => done.length)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(states.at(-1)?.done.at(-1)).toEqual({
      chunk: 11,
      sha256: createHash('sha256').update(content.subarray(1_000_000)).digest('hex'),
    });
    expect(told.at(-1)).toMatchObject({ bytesDone: 1_050_000, chunksDone: 11, chunksTotal: 11, secondsLeft: 0 });

    const download = await recipient.download(sent.messageId);
    expect(download.metadata.totalChunks).toBe(11);
    expect((await contentOf(download)).equals(content)).toBe(true);
    await recipient.acknowledge(sent.messageId);
  });

  it.each([false, true])('sends what a payload makes in two buffers, taken in turn (gzip: %s)', async (gzip) => {
    await using sender = await sdkClient(exchange, 'X26ABC1');
    await using recipient = await sdkClient(exchange, 'X26ABC2');
    const content = randomBytes(1_500_000);
    const payload = fromRanges({
      sizeBytes: content.length,
      async *read({ start, end }) {
        const blocks = new BlockPair(16_384);
        for (let at = start; at < end; ) {
          const block = blocks.next();
          const bytes = content.copy(block, 0, at, Math.min(end, at + block.length));
          at += bytes;
          yield block.subarray(0, bytes);
        }
      },
    });
    const sent = await sender.send(message, payload, { gzip, chunkBytes: 500_000 });
    if (sent.kind !== 'sent') throw sent.cause;
    const received = await contentOf(await recipient.download(sent.messageId));
    expect(received.equals(content)).toBe(true);
    await recipient.acknowledge(sent.messageId);
  });

  it('throws the error of the catalogue when a send is refused, with the id the service gave it', async () => {
    await using sender = await sdkClient(exchange, 'X26ABC1');
    const refused: unknown = await sender.send({ ...message, to: 'NOBODY9' }, Buffer.from('x')).catch((error) => error);
    expect(refused).toBeInstanceOf(MeshError);
    expect(refused).toMatchObject({
      code: 'unregistered-recipient',
      class: 'permanent',
      whoCanFix: 'caller',
      status: 417,
      wire: { event: 'SEND', code: '12', text: 'Unregistered to address' },
      messageId: expect.stringMatching(/^\d{20}_[0-9A-F]{6}$/),
    });
  });
});
