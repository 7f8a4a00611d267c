import { type MessageId, parseMessageId } from '@openmesh/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GpExchange } from '../../kit/gp-exchange.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

guardLeaks();

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let exchange: ExchangeInProcess;
beforeEach(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
});
afterEach(() => exchange.stop());

const sender = () => exchange.client('X26ABC1');

async function send(localId: string, chunkRange?: string): Promise<string> {
  const range = chunkRange === undefined ? {} : { chunkRange };
  return sentIdOf(await sender().send({ to: 'X26ABC2', workflowId: 'WF', localId, ...range }, 'bytes'));
}

/** Changes the sealed texts of a message in the ledger, as a flipped bit does. */
async function damage(messageId: string, { rooms } = exchange): Promise<void> {
  const { keys } = rooms.ledger;
  const rows = await keys.sealedTexts({ afterId: '', exceptBeginning: 'A'.repeat(24), limit: 100 });
  const row = rows.find((each) => each.messageId === messageId);
  if (row === undefined) throw new Error('the message has no sealed texts');
  const at = row.sealed.length - 8;
  const other = row.sealed[at] === 'A' ? 'B' : 'A';
  const sealed = `${row.sealed.slice(0, at)}${other}${row.sealed.slice(at + 1)}`;
  await keys.replaceSealedTexts([{ messageId: row.messageId, from: row.sealed, sealed, localKey: row.localKey }]);
}

/** By the message that each is about, the local id that it carries. */
async function reports(): Promise<ReadonlyMap<string, string>> {
  const ids = listedIdsOf(await sender().list());
  const replies = await Promise.all(ids.map((id) => sender().download(id)));
  return new Map(replies.map(({ headers }) => [String(headers['mex-linkedmsgid']), headers['mex-localid'] ?? '']));
}

describe('a message whose texts cannot be opened any more', () => {
  it('can still be tracked, and hides no other from the rich listings, while it is not handed out without them', async () => {
    const ids = [await send('ONE'), await send('TWO')];
    await damage(ids[0] ?? '');
    const tracked = await sender().track(ids[0] ?? '');
    expect(jsonOf(tracked)).toMatchObject({ message_id: ids[0], status: 'accepted' });
    for (const [client, box] of [[sender(), 'outbox'] as const, [exchange.client('X26ABC2'), 'inbox'] as const]) {
      const { messages } = jsonOf(await client.request('GET', `/${box}/rich`)) as {
        messages: { message_id: string }[];
      };
      expect(messages.map((each) => each.message_id).sort()).toEqual(ids);
    }
    expect((await exchange.client('X26ABC2').download(ids[0] ?? '')).status).toBe(500);
  });

  it('is reported when its days are over, without those texts, and keeps no other from that', async () => {
    const ids = [await send('ONE'), await send('TWO'), await send('THREE')];
    await damage(ids[1] ?? '');
    exchange.clock.advance(5 * dayMs);
    await exchange.rooms.clockwork.runAll();
    expect(await reports()).toEqual(
      new Map([
        [ids[0], 'ONE'],
        [ids[1], ''],
        [ids[2], 'THREE'],
      ]),
    );
    expect(listedIdsOf(await exchange.client('X26ABC2').list())).toEqual([]);
  });

  it('is reported when its upload was abandoned, without those texts', async () => {
    const ids = [await send('ONE', '1:2'), await send('TWO', '1:2')];
    await damage(ids[0] ?? '');
    exchange.clock.advance(5 * dayMs);
    await exchange.rooms.clockwork.runAll();
    expect(await reports()).toEqual(
      new Map([
        [ids[0], ''],
        [ids[1], 'TWO'],
      ]),
    );
  });

  it('is reported when its address could not be opened for as long as it is held, and not before', async () => {
    await using gp = await GpExchange.start();
    const messageId = await gp.send('GPPROVIDER_9990000018_19800229_REGISTERED');
    await damage(messageId, gp.exchange);
    const { messages } = gp.exchange.rooms.ledger;
    const damaged = (await messages.find(parseMessageId(messageId) as MessageId))?.sealed;
    gp.exchange.clock.advance(hourMs);
    await gp.work();
    expect(await gp.reports()).toEqual([]);
    gp.exchange.clock.advance(3 * hourMs);
    await gp.work();
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'error', status_code: 'GpLookupUnavailable' });
    expect(await gp.reports()).toMatchObject([{ 'mex-linkedmsgid': messageId }]);
    // Where it is a key that is missing, and it comes back, they can be read again.
    expect(damaged).toMatch(/./);
    expect((await messages.find(parseMessageId(messageId) as MessageId))?.sealed).toBe(damaged);
  });
});
