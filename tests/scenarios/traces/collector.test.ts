import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { traceOf } from '@openmesh/exchange/traces/trace-id.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testCertificates } from '../../kit/certificates.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { TraceCollector } from '../../kit/trace-collector.ts';

guardLeaks();

let collector: TraceCollector;
let exchange: ExchangeInProcess;

beforeEach(async () => {
  collector = await TraceCollector.start();
  exchange = await startWith(collector.url);
});
afterEach(async () => {
  await exchange.stop();
  await collector[Symbol.asyncDispose]();
});

function startWith(endpoint: string, more: Readonly<Record<string, string>> = {}): Promise<ExchangeInProcess> {
  return ExchangeInProcess.start({ tls: 'off', settings: { OPENMESH_TRACES_ENDPOINT: endpoint, ...more } });
}

/** A whole life: four spans. */
async function passOne(through: ExchangeInProcess = exchange): Promise<string> {
  const id = sentIdOf(await through.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, 'hello'));
  const recipient = through.client('X26ABC2');
  const replies = [await recipient.download(id), await recipient.acknowledge(id)];
  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
  return id;
}

async function metric(outcome: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${exchange.running.operatorsPort}/metrics`);
  const line = new RegExp(`^openmesh_trace_spans_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await response.text())?.[1]);
}

function warnings(): readonly string[] {
  const lines = exchange.logLines.map((line) => JSON.parse(line) as { event: string; reason?: string });
  return lines.filter(({ event }) => event === 'traces-not-taken').map(({ reason }) => reason ?? '');
}

describe('a collector that takes spans', () => {
  it('is counted for each of them', async () => {
    await passOne();
    await exchange.running.flush();
    expect([collector.spans.length, await metric('sent'), warnings()]).toEqual([4, 4, []]);
  });

  it('gets what waits when the exchange stops', async () => {
    const id = await passOne();
    await exchange.stop();
    expect(collector.trace(traceOf(id).traceId)).toHaveLength(4);
  });
});

describe('a collector behind TLS', () => {
  it('is sent spans when its certificate is from the authority that is named', async () => {
    const { server: identity, authorityFile } = await testCertificates();
    await using secure = await TraceCollector.start({ identity });
    await using other = await startWith(secure.url, { OPENMESH_TRACES_CA_FILE: authorityFile });
    const id = await passOne(other);
    await other.running.flush();
    expect(secure.trace(traceOf(id).traceId)).toHaveLength(4);
  });

  it('is sent nothing when nobody we trust speaks for it', async () => {
    const { server: identity } = await testCertificates();
    await using secure = await TraceCollector.start({ identity });
    await using other = await startWith(secure.url);
    await passOne(other);
    await other.running.flush();
    expect([secure.everything, other.rooms.traces?.counts.sent]).toEqual(['', 0]);
  });
});

describe('a message goes its way', () => {
  it('while nobody listens where the collector should be, and its trace arrives when somebody does', async () => {
    const { port } = new URL(collector.url);
    await collector[Symbol.asyncDispose]();
    const id = await passOne();
    await exchange.running.flush();
    await exchange.running.flush();
    expect([warnings(), await metric('sent')]).toEqual([['unreachable'], 0]);
    collector = await TraceCollector.start({ port: Number(port) });
    await exchange.running.flush();
    expect([collector.trace(traceOf(id).traceId).length, await metric('sent')]).toEqual([4, 4]);
  });

  it('while the collector hangs, and a stop does not wait for it longer than it may', async () => {
    collector.mood = 'hang';
    await passOne();
    const hanging = collector.nextOffer();
    const flushing = exchange.running.flush();
    await hanging;
    await passOne();
    const { traces } = exchange.rooms;
    await exchange.stop();
    await flushing;
    expect(traces?.counts).toEqual({ sent: 0, 'queue-full': 0, refused: 0, unsent: 8 });
    expect(warnings()).toEqual([]);
  });

  it.each([
    ['500', { status: 500 }],
    ['400 with words', { status: 400, body: 'Jane Smith' }],
    ['a way elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['an answer without end', { status: 200, body: 'x'.repeat(200_000) }],
  ])('while the collector answers %s, and what it did not take is counted', async (_says, mood) => {
    collector.mood = mood;
    await passOne();
    await exchange.running.flush();
    expect([await metric('refused'), await metric('sent')]).toEqual([4, 0]);
    expect(warnings()).toEqual(['refused']);
    expect(exchange.logLines.join()).not.toContain('Jane');
    collector.mood = 'take';
    await exchange.running.flush();
    expect(collector.spans).toEqual([]);
  });

  it('while the collector is busy, and it is offered the same again', async () => {
    collector.mood = { status: 503, headers: { 'retry-after': '1' } };
    const id = await passOne();
    await exchange.running.flush();
    expect([warnings(), await metric('refused')]).toEqual([['busy'], 0]);
    collector.mood = 'take';
    await exchange.running.flush();
    expect(collector.trace(traceOf(id).traceId)).toHaveLength(4);
  });

  it('while the collector takes only a part, as it may say', async () => {
    collector.mood = { status: 200, body: '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}' };
    await passOne();
    await exchange.running.flush();
    expect([await metric('refused'), await metric('sent')]).toEqual([3, 1]);
  });

  it.each(['', 'null', '{"partialSuccess":null}', '{"partialSuccess":{"rejectedSpans":"many"}}', '[{'])(
    'whatever the collector says when it takes them: %s',
    async (body) => {
      collector.mood = { status: 200, body };
      await passOne();
      await exchange.running.flush();
      expect(await metric('sent')).toBe(4);
    },
  );

  it('while what listens there speaks no HTTP', async () => {
    const server = createServer().on('connection', (socket) => socket.end('SSH-2.0-dropbear\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const other = await startWith(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      await passOne(other);
      await other.running.flush();
    } finally {
      await other.stop();
      server.close();
      await once(server, 'close');
    }
  });
});

describe('without a collector', () => {
  it('the ledger is the bare one, and nothing is made', async () => {
    await using plain = await ExchangeInProcess.start({ tls: 'off' });
    await passOne(plain);
    expect(plain.rooms.traces).toBeUndefined();
    const given = Object.entries(plain.rooms.ledger.messages).map(([name, act]) => [name, String(act)] as const);
    expect(given.filter(([, source]) => source.includes('traced('))).toEqual([]);
    expect(Object.values(exchange.rooms.ledger.messages).some((act) => String(act).includes('traced('))).toBe(true);
    const response = await fetch(`http://127.0.0.1:${plain.running.operatorsPort}/metrics`);
    expect(await response.text()).not.toMatch(/^openmesh_trace_spans_total\{/m);
  });
});
