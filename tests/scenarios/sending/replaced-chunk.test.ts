import { takeSnapshot } from '@openmesh/exchange/compose/copies.ts';
import { expect, it } from 'vitest';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const chunk = (text: string): Buffer => Buffer.alloc(300_000, text);

it('the ledger tells a backup under way that it names the body of a chunk no longer once the chunk came again', async () => {
  await using exchange = await ExchangeInProcess.start({ tls: 'off' });
  const client = exchange.client('X26ABC1');
  const upload = { to: 'X26ABC2', workflowId: 'W', chunkRange: '1:3' };
  const id = sentIdOf(await client.send(upload, chunk('first')));
  expect((await client.sendChunk(id, 2, 3, chunk('second'))).status).toBe(202);
  const snapshot = await takeSnapshot(exchange.rooms.config);
  try {
    const refs: Parameters<typeof snapshot.isNamedNow>[0][] = [];
    for await (const { ref } of snapshot.bodies()) refs.push(ref);
    const named = () => Promise.all(refs.map((ref) => snapshot.isNamedNow(ref)));
    expect(await named()).toEqual([true, true]);
    expect((await client.sendChunk(id, 2, 3, chunk('second again'))).status).toBe(202);
    expect((await named()).filter((isNamed) => isNamed)).toEqual([true]);
  } finally {
    await snapshot.close();
  }
});
