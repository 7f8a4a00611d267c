import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DownloadState,
  fromFile,
  type MeshClient,
  type MeshError,
  parseDownloadState,
  parseUploadState,
  type UploadState,
} from '@openmesh/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { sdkClient } from '../../kit/sdk-client.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const message = { to: 'X26ABC2', workflowId: 'WF' };
const chunkBytes = 10_000;
const content = randomBytes(95_000);

class Crash extends Error {}

let exchange: ExchangeInProcess;
let sender: MeshClient;
let recipient: MeshClient;
let folder: TemporaryFolder;
let path: string;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start();
  sender = await sdkClient(exchange, 'X26ABC1');
  recipient = await sdkClient(exchange, 'X26ABC2');
  folder = await temporaryFolder('sdk');
});
beforeEach(() => {
  path = join(folder.path, `${randomBytes(4).toString('hex')}.dat`);
  writeFileSync(path, content);
});
afterAll(async () => {
  sender.close();
  recipient.close();
  await folder.remove();
  await exchange.stop();
});

/** The state as it lies on the disk when the program dies after so many chunks. */
async function sendUntil(chunks: number): Promise<UploadState> {
  let stored = '';
  const onState = (state: UploadState): void => {
    stored = JSON.stringify(state);
    if (state.done.length === chunks) throw new Crash();
  };
  await expect(sender.send(message, fromFile(path), { chunkBytes, onState })).rejects.toBeInstanceOf(Crash);
  return parseUploadState(JSON.parse(stored));
}

async function downloaded(id: string): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of await recipient.download(id)) blocks.push(block);
  return Buffer.concat(blocks);
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was thrown',
    (error: MeshError) => error.code,
  );

describe('an upload that was interrupted', () => {
  it.each([1, 4, 9])(
    'goes on after %i chunks from its stored state, sends no chunk twice, and arrives whole',
    async (n) => {
      const state = await sendUntil(n);
      expect((await recipient.list()).messages).not.toContain(state.messageId);
      const sentNow: number[] = [];
      const onState = (_state: UploadState, { chunk }: { chunk: number }): void => void sentNow.push(chunk);
      const sent = await sender.resumeSend(fromFile(path), state, { onState });
      expect(sent).toEqual({ kind: 'sent', messageId: state.messageId, sizeBytes: 95_000, totalChunks: 10 });
      const before = state.done.map(({ chunk }) => chunk);
      expect(sentNow.toSorted((a, b) => a - b)).toEqual(
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter((c) => !before.includes(c)),
      );
      expect(sentNow.at(-1)).toBe(10);
      expect((await downloaded(state.messageId)).equals(content)).toBe(true);
    },
  );

  it('is complete at once when only the program did not know it', async () => {
    const state = await sendUntil(10);
    expect(await sender.resumeSend(fromFile(path), state)).toMatchObject({ kind: 'sent' });
  });

  it('finds a chunk taken whose answer the program never saw: it is sent again and the message arrives once', async () => {
    const state = await sendUntil(10);
    const forgotten = { ...state, done: state.done.filter(({ chunk }) => chunk !== 10) };
    expect(await sender.resumeSend(fromFile(path), forgotten)).toMatchObject({ kind: 'sent' });
    expect((await recipient.list()).messages.filter((id) => id === state.messageId)).toHaveLength(1);
  });

  it('is complete when the service says that it has every chunk already, and tracking agrees', async () => {
    const state = await sendUntil(10);
    // Long enough for a repeat of the last chunk to be answered by 423.
    exchange.clock.advance(11 * 60_000);
    const forgotten = { ...state, done: state.done.slice(0, 8) };
    expect(await sender.resumeSend(fromFile(path), forgotten)).toMatchObject({ kind: 'sent' });
  });

  it('is refused when the file has another size, another date or, if asked, other bytes', async () => {
    const state = await sendUntil(3);
    const { modifiedMs: _date, ...undated } = state;
    truncateSync(path, 94_999);
    expect(await codeOf(sender.resumeSend(fromFile(path), state))).toBe('state-unusable');
    const other = Buffer.from(content);
    other[15_000] = (other[15_000] ?? 0) ^ 1;
    writeFileSync(path, other);
    expect(await codeOf(sender.resumeSend(fromFile(path), state))).toBe('state-unusable');
    expect(await codeOf(sender.resumeSend(fromFile(path), undated, { verify: 'digests' }))).toBe('state-unusable');
  });

  it.each([null, {}, { version: 2 }, { version: 1, mailboxId: 'X26ABC1', messageId: '../x', done: [] }])(
    'takes no state that is none: %j',
    (json) => expect(() => parseUploadState(json)).toThrow(expect.objectContaining({ code: 'state-unusable' })),
  );
});

describe('a download into a file that was interrupted', () => {
  let messageId: string;
  let target: string;
  beforeEach(async () => {
    const sent = await sender.send(message, content, { chunkBytes });
    if (sent.kind !== 'sent') throw sent.cause;
    messageId = sent.messageId;
    target = `${path}.part`;
  });

  const downloadUntil = async (chunks: number): Promise<DownloadState> => {
    let stored = '';
    const onState = (state: DownloadState): void => {
      stored = JSON.stringify(state);
      if (state.done.length === chunks) throw new Crash();
    };
    await expect(recipient.downloadToFile(messageId, target, { onState })).rejects.toBeInstanceOf(Crash);
    return parseDownloadState(JSON.parse(stored));
  };

  it.each([1, 5, 10])(
    'goes on after %i chunks, whatever a crash left behind them, and comes out whole',
    async (chunks) => {
      const state = await downloadUntil(chunks);
      writeFileSync(target, 'torn bytes of the next chunk', { flag: 'a' });
      const fetched: number[] = [];
      const onState = (_state: DownloadState, { chunk }: { chunk: number }): void => void fetched.push(chunk);
      const done = await recipient.downloadToFile(messageId, target, { state, onState });
      expect(fetched).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].slice(chunks));
      expect(done).toMatchObject({ bytes: 95_000, metadata: { messageId, from: 'X26ABC1' } });
      expect(readFileSync(target).equals(content)).toBe(true);
    },
  );

  it('is refused when the file no longer holds what the state says', async () => {
    const state = await downloadUntil(5);
    const bytes = readFileSync(target);
    bytes[12_345] = (bytes[12_345] ?? 0) ^ 1;
    writeFileSync(target, bytes);
    expect(await codeOf(recipient.downloadToFile(messageId, target, { state }))).toBe('state-unusable');
    truncateSync(target, 20_000);
    expect(await codeOf(recipient.downloadToFile(messageId, target, { state }))).toBe('state-unusable');
  });

  it.runIf(process.platform === 'linux')('takes a folder that cannot be flushed, as on some shares', async () => {
    const file = openSync(target, 'w+');
    // The folder of a process's open files answers a flush with EINVAL.
    await recipient.downloadToFile(messageId, `/proc/self/fd/${file}`, { overwrite: true });
    closeSync(file);
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  it('writes over no file unless told to', async () => {
    writeFileSync(target, 'somebody else’s');
    expect(await codeOf(recipient.downloadToFile(messageId, target))).toBe('file-unusable');
    expect(readFileSync(target, 'utf8')).toBe('somebody else’s');
    await recipient.downloadToFile(messageId, target, { overwrite: true });
    expect(readFileSync(target).equals(content)).toBe(true);
  });
});
