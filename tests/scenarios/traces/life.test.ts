import { traceOf } from '@openmesh/exchange/traces/trace-id.ts';
import { describe, expect, it } from 'vitest';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { TracedExchange, tracedWorkflow as workflowId } from '../../kit/traced-exchange.ts';

guardLeaks();

function rootOf(messageId: string): string {
  const { traceId, rootSpanId } = traceOf(messageId);
  return `${traceId}/${rootSpanId}`;
}

describe('one message is one trace', () => {
  it('from its sending to its acknowledgement, with one first span that is the parent of all others', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    await mesh.recipient.list();
    await mesh.recipient.head(id);
    await mesh.recipient.download(id);
    await mesh.recipient.acknowledge(id);
    const spans = await mesh.spansOf(id);
    const names = ['send-message', 'route', 'head-message', 'download-message', 'acknowledge'];
    expect(spans.map(({ name }) => name)).toEqual(names);
    expect(new Set(mesh.collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
    const { rootSpanId } = traceOf(id);
    expect(spans.map(({ spanId }) => spanId === rootSpanId)).toEqual(names.map((_, at) => at === 0));
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, ...Array(4).fill(rootSpanId)]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(names.length);
    expect(spans.every(({ startMs, endMs }) => startMs <= endMs)).toBe(true);
    expect((await mesh.span(id, 'send-message')).attributes).toEqual({
      'messaging.system': 'mesh',
      'messaging.message.id': id,
      'messaging.operation.name': 'send-message',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'X26ABC2',
      'http.request.method': 'POST',
      'http.route': '/messageexchange/{mailbox}/outbox',
      'http.response.status_code': 202,
      'http.request.body.size': 5,
      'http.response.body.size': expect.any(Number) as number,
      'openmesh.mailbox': 'X26ABC1',
      'openmesh.sender': 'X26ABC1',
      'openmesh.workflow_id': workflowId,
      'openmesh.chunks': 1,
      'openmesh.correlation_id': expect.stringMatching(/^[0-9a-f]{12}-/) as string,
    });
    expect(mesh.collector.resources[0]).toMatchObject({
      'service.name': 'openmesh-exchange',
      'service.version': '0.1.0',
    });
  });

  it('in which nothing begins before the request that did it, however quick that was', async () => {
    await using mesh = await TracedExchange.start();
    const ids: string[] = [];
    // The first are slow, for what they run through is run for the first time.
    for (let n = 0; n < 200; n += 1) ids.push(sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello')));
    await mesh.exchange.running.flush();
    const orders = await Promise.all(ids.map((id) => mesh.namesOf(id)));
    expect(new Set(orders.map((names) => names.join(', ')))).toEqual(new Set(['send-message, route']));
  });

  it('when it was sent in chunks', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId, chunkRange: '1:3' }, 'one'));
    await mesh.sender.sendChunk(id, 3, 3, 'three');
    await mesh.sender.sendChunk(id, 2, 3, 'two');
    await mesh.recipient.download(id);
    await mesh.recipient.downloadChunk(id, 3);
    const names = ['send-message', 'send-chunk', 'send-chunk', 'route', 'download-message', 'download-chunk'];
    expect(await mesh.namesOf(id)).toEqual(names);
    expect((await mesh.span(id, 'send-message')).attributes['openmesh.chunks']).toBe(3);
    expect((await mesh.span(id, 'route')).attributes['openmesh.state']).toBe('accepted');
  });

  it('when it was collected after the exchange was started anew, as by another node', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    await mesh.restart();
    await mesh.recipient.download(id);
    await mesh.recipient.acknowledge(id);
    expect(await mesh.namesOf(id)).toEqual(['send-message', 'route', 'download-message', 'acknowledge']);
    expect(new Set(mesh.collector.resources.map((resource) => resource['service.instance.id'])).size).toBe(2);
  });

  it('when its sender asked again because the answer was lost: the second request is not its beginning', async () => {
    await using mesh = await TracedExchange.start();
    const headers = { 'Idempotency-Key': 'key-1' };
    const ids = [1, 2].map(() => mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello', { headers }).then(sentIdOf));
    const [id = '', again] = [await ids[0], await ids[1]];
    expect(again).toBe(id);
    const spans = (await mesh.spansOf(id)).filter(({ name }) => name === 'send-message');
    expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined)).toHaveLength(1);
    expect(spans).toHaveLength(2);
  });

  it('to the deletion of its bytes, a month later', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    await mesh.recipient.acknowledge(id);
    await mesh.passDays(31);
    expect(await mesh.namesOf(id)).toEqual(['send-message', 'route', 'acknowledge', 'delete-body']);
  });
});

describe('rules and reports', () => {
  it('a redirect is in the trace: where it was sent, where it went, and by which rule', async () => {
    await using mesh = await TracedExchange.start();
    await mesh.rule('R1', 'redirect');
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    expect((await mesh.exchange.client('Y99ABC3').download(id)).status).toBe(200);
    expect(await mesh.namesOf(id)).toEqual(['send-message', 'route', 'download-message']);
    expect((await mesh.span(id, 'route')).attributes).toMatchObject({
      'messaging.destination.name': 'Y99ABC3',
      'openmesh.addressed_to': 'X26ABC2',
      'openmesh.rules': ['redirected R1/1'],
    });
  });

  it('a copy has a trace of its own, and each is found from the other', async () => {
    await using mesh = await TracedExchange.start();
    await mesh.rule('R2', 'copy');
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    const third = mesh.exchange.client('Y99ABC3');
    const [copyId = ''] = listedIdsOf(await third.list());
    await mesh.recipient.download(id);
    await third.download(copyId);
    await third.acknowledge(copyId);
    expect((await mesh.namesOf(id)).toSorted()).toEqual(['copy', 'download-message', 'route', 'send-message']);
    expect(await mesh.namesOf(copyId)).toEqual(['copy', 'download-message', 'acknowledge']);
    const [inOriginal, inCopy] = [await mesh.span(id, 'copy'), await mesh.span(copyId, 'copy')];
    expect([inOriginal.links, inCopy.links]).toEqual([[rootOf(copyId)], [rootOf(id)]]);
    expect([inOriginal.parentSpanId, inCopy.parentSpanId]).toEqual([traceOf(id).rootSpanId, undefined]);
    expect(inOriginal.attributes).toMatchObject({ 'openmesh.made': copyId, 'messaging.destination.name': 'Y99ABC3' });
    expect(inCopy.attributes).toMatchObject({ 'openmesh.made_from': id, 'openmesh.sender': 'X26ABC1' });
    expect((await mesh.span(id, 'route')).attributes['openmesh.rules']).toEqual(['copied R2/1']);
  });

  it('five days without collection are a failed span, and the report about it is found from there', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    await mesh.passDays(5);
    const [reportId = ''] = listedIdsOf(await mesh.sender.list());
    await mesh.sender.download(reportId);
    await mesh.sender.acknowledge(reportId);
    expect((await mesh.namesOf(id)).toSorted()).toEqual(['expired', 'report', 'route', 'send-message']);
    expect(await mesh.namesOf(reportId)).toEqual(['report', 'download-message', 'acknowledge']);
    expect(await mesh.span(id, 'expired')).toMatchObject({
      failed: true,
      attributes: { 'openmesh.state': 'undeliverable', 'error.type': '14' },
    });
    expect((await mesh.span(id, 'report')).links).toEqual([rootOf(reportId)]);
    expect(await mesh.span(reportId, 'report')).toMatchObject({
      links: [rootOf(id)],
      parentSpanId: undefined,
      attributes: { 'messaging.destination.name': 'X26ABC1', 'openmesh.status_code': '14', 'openmesh.made_from': id },
    });
  });

  it('an upload that is given up is a failed span with its report', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId, chunkRange: '1:2' }, 'one'));
    await mesh.passDays(6);
    expect((await mesh.namesOf(id)).toSorted()).toEqual(['abandoned', 'report', 'send-message']);
    expect((await mesh.span(id, 'abandoned')).failed).toBe(true);
  });
});
