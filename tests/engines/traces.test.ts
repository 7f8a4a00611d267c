import { traceOf } from '@openmesh/exchange/traces/trace-id.ts';
import { expect, it } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { sentIdOf } from '../kit/mesh-client.ts';
import { ExchangeInProcess } from '../kit/running-exchange.ts';
import { TraceCollector } from '../kit/trace-collector.ts';

it('two nodes of one ledger write one trace of a message, whichever of them did what', async () => {
  await using server = await PostgresServer.start();
  await using collector = await TraceCollector.start();
  const shared = { OPENMESH_LEDGER: await server.createDatabase(), OPENMESH_TRACES_ENDPOINT: collector.url };
  await using one = await ExchangeInProcess.start({ tls: 'off', settings: shared });
  const bodies = { OPENMESH_BODIES: `file:${one.bodiesFolder}` };
  await using two = await ExchangeInProcess.start({ tls: 'off', settings: { ...shared, ...bodies } });
  const to = { to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:3' };
  const id = sentIdOf(await one.client('X26ABC1').send(to, 'first'));
  await two.client('X26ABC1').sendChunk(id, 3, 3, 'third');
  await one.client('X26ABC1').sendChunk(id, 2, 3, 'second');
  expect((await two.client('X26ABC2').download(id)).status).toBe(206);
  await one.client('X26ABC2').acknowledge(id);
  await one.running.flush();
  await two.running.flush();
  const spans = collector.trace(traceOf(id).traceId);
  const names = ['send-message', 'send-chunk', 'send-chunk', 'route', 'download-message', 'acknowledge'];
  expect(spans.map(({ name }) => name)).toEqual(names);
  expect(collector.spans).toHaveLength(names.length);
  expect(new Set(collector.resources.map((resource) => resource['service.instance.id'])).size).toBe(2);
  expect(spans.map(({ parentSpanId }) => parentSpanId).filter((parent) => parent === undefined)).toHaveLength(1);
});
