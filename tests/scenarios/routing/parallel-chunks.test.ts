import type { IncomingBody } from '@openmesh/exchange/message/incoming-body.ts';
import { type ChunkHeaders, parseChunkNumber, parseMailboxId, parseMessageId } from '@openmesh/protocol';
import { expect, it } from 'vitest';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { sharedSeeds } from '../../kit/routing-cases.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const bytesMax = 10;

/** Bodies that end together: each waits, when it is asked for, until all have been. */
function bodiesUnderWayAtOnce(texts: readonly string[]): readonly IncomingBody[] {
  const all = Promise.withResolvers<void>();
  let asked = 0;
  return texts.map((text) => ({
    declaredBytes: text.length,
    async head() {
      asked += 1;
      if (asked === texts.length) all.resolve();
      await all.promise;
      return { bytes: new Uint8Array(Buffer.from(text)).slice(), ended: true };
    },
    rest: () => Promise.reject(new Error('the head is all')),
  }));
}

it.each([
  { what: 'over', first: 'xxx', later: ['xxxx', 'xxxx'], state: 'error', events: ['refused'] },
  { what: 'just within', first: 'xx', later: ['xxxx', 'xxxx'], state: 'accepted', events: ['accepted'] },
])('chunks under way at once are judged together: $what the limit of the workflow', async (upload) => {
  await using exchange = await ExchangeInProcess.start({ tls: 'off', seeds: sharedSeeds() });
  const { hall, registry, ledger } = exchange.rooms;
  const known = registry.current().workflow('WF');
  if (known === undefined) throw new Error('the seeds have WF');
  await exchange.change({ workflows: [{ ...known, workflowId: 'SMALL', sizeBytesMax: bytesMax }] });
  const begun = await exchange
    .client('SENDER')
    .send({ to: 'RECIP', workflowId: 'SMALL', chunkRange: '1:3' }, upload.first);
  const messageId = parseMessageId(sentIdOf(begun));
  const sender = parseMailboxId('SENDER');
  if (messageId === undefined || sender === undefined) throw new Error('the kit made ids that are none');
  const headers: ChunkHeaders = { contentEncoding: '', range: undefined };
  const outcomes = await Promise.all(
    bodiesUnderWayAtOnce(upload.later).map((body, index) => {
      const chunkNumber = parseChunkNumber(`${index + 2}`);
      if (chunkNumber === undefined) throw new Error('a chunk is numbered 2 and another 3');
      return hall.receiveChunk({ sender, messageId, chunkNumber, headers, body, nonce: null });
    }),
  );
  expect(outcomes).toEqual([{ kind: 'stored' }, { kind: 'stored' }]);
  expect(await ledger.messages.find(messageId)).toMatchObject({ state: upload.state });
  const kinds = (await ledger.messages.timeline(messageId)).map(({ kind }) => kind);
  expect(kinds).toEqual(['upload-started', ...upload.events]);
});
