import type { MeshClient, MeshError, ReceivedMessage } from '@openmesh/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { sdkClient } from '../../kit/sdk-client.ts';

let exchange: ExchangeInProcess;
let sender: MeshClient;
let recipient: MeshClient;
beforeEach(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off', settings: { OPENMESH_REPORT_ON_FAILED_SEND: 'on' } });
  sender = await sdkClient(exchange, 'X26ABC1');
  recipient = await sdkClient(exchange, 'X26ABC2');
});
afterEach(async () => {
  sender.close();
  recipient.close();
  await exchange.stop();
});

async function send(text: string, workflowId = 'WF'): Promise<string> {
  const sent = await sender.send({ to: 'X26ABC2', workflowId }, Buffer.from(text));
  if (sent.kind !== 'sent') throw sent.cause;
  return sent.messageId;
}

async function textOf(message: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const block of message) text += block.toString('utf8');
  return text;
}

async function receiveEach(block: (message: ReceivedMessage) => Promise<void>): Promise<void> {
  for await (const message of recipient.receive()) await block(message);
}

const waiting = async (): Promise<readonly string[]> => (await recipient.list()).messages;

describe('receiving', () => {
  it('hands out every message in order, and acknowledges each when its block has ended', async () => {
    const ids = [await send('one'), await send('two'), await send('three')];
    const seen: string[] = [];
    for await (const message of recipient.receive()) {
      expect(await waiting()).toEqual(ids.slice(seen.length));
      seen.push(await textOf(message));
    }
    expect(seen).toEqual(['one', 'two', 'three']);
    expect(await waiting()).toEqual([]);
  });

  it('leaves the message in the inbox when the block throws, and everything behind it', async () => {
    const [, second, third] = [await send('one'), await send('two'), await send('three')];
    const blockThatThrows = receiveEach(async (message) => {
      if ((await textOf(message)) === 'two') throw new RangeError('the disk of the caller is full');
    });
    await expect(blockThatThrows).rejects.toThrow(RangeError);
    expect(await waiting()).toEqual([second, third]);
  });

  it('leaves the message in the inbox when the block breaks off', async () => {
    const id = await send('one');
    for await (const message of recipient.receive()) {
      await textOf(message);
      break;
    }
    expect(await waiting()).toEqual([id]);
  });

  it('throws, and acknowledges nothing, when a block ends without having read the content', async () => {
    const id = await send('one');
    const error: unknown = await receiveEach(() => Promise.resolve()).catch((thrown: MeshError) => thrown);
    expect(error).toMatchObject({ code: 'not-read', messageId: id });
    expect(await waiting()).toEqual([id]);
  });

  it('lets a block leave a message, or acknowledge it unread', async () => {
    const [first, second] = [await send('one'), await send('two')];
    const seen: ReceivedMessage[] = [];
    for await (const message of recipient.receive()) {
      if (message.messageId === first) message.leave();
      else await message.acknowledge();
      seen.push(message);
    }
    expect(seen.map(({ messageId }) => messageId)).toEqual([first, second]);
    expect(await waiting()).toEqual([first]);
  });

  it('hands out a report with what the service says of the failed message, and acknowledges it', async () => {
    const refused = await sender
      .send({ to: 'NOBODY9', workflowId: 'WF', localId: 'mine', subject: 'A result' }, Buffer.from('x'))
      .catch((error: MeshError) => error);
    const reports: ReceivedMessage[] = [];
    for await (const message of sender.receive()) reports.push(message);
    expect(reports[0]?.metadata).toMatchObject({
      type: 'REPORT',
      totalChunks: 0,
      localId: 'mine',
      linkedMessageId: (refused as MeshError).messageId,
      status: { code: '12', event: 'SEND', description: 'Unregistered to address', isSuccess: false },
    });
    expect(reports[0]?.metadata.headers.get('mex-statussuccess')).toBe('ERROR');
    expect(await sender.count()).toBe(0);
  });

  it('walks all pages of a filtered inbox, and passes over a message that somebody else has collected', async () => {
    const ids: string[] = [];
    for (let number = 0; number < 25; number += 1) ids.push(await send(`${number}`, number % 2 === 0 ? 'EVEN' : 'ODD'));
    const listed: string[] = [];
    for await (const id of recipient.inbox({ maxResults: 10, workflowFilter: 'EV*' })) listed.push(id);
    expect(listed).toEqual(ids.filter((_id, at) => at % 2 === 0));
    let handedOut = 0;
    for await (const message of recipient.receive({ maxResults: 10 })) {
      if (handedOut === 0) await recipient.acknowledge(ids[1] ?? '');
      await textOf(message);
      handedOut += 1;
    }
    expect(handedOut).toBe(24);
    expect(await recipient.count()).toBe(0);
  });

  it('says what a message is without its content, and finds mailboxes by organisation and by workflow', async () => {
    const id = await send('one');
    expect(await recipient.describe(id)).toMatchObject({
      messageId: id,
      type: 'DATA',
      totalChunks: 1,
      from: 'X26ABC1',
    });
    await exchange.change({
      workflows: [{ workflowId: 'A WORKFLOW' }],
      registrations: [{ workflowId: 'A WORKFLOW', role: 'responder', mailbox: 'X26ABC2' }],
    });
    const found = [{ mailboxId: 'X26ABC2', mailboxName: 'TESTMB2' }];
    expect(await sender.lookupEndpoint('X26', 'A WORKFLOW')).toEqual(found);
    expect(await sender.searchWorkflow('A WORKFLOW')).toEqual(found);
    expect(await sender.lookupEndpoint('X26', 'ANOTHER')).toEqual([]);
  });
});
