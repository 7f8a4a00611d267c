import { readFileSync } from 'node:fs';
import { traceOf } from '@openmesh/exchange/traces/trace-id.ts';
import { describe, expect, it } from 'vitest';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { seededPassword } from '../../kit/seeded-registry.ts';
import type { TraceCollector } from '../../kit/trace-collector.ts';
import { TracedExchange, tracedWorkflow as workflowId } from '../../kit/traced-exchange.ts';

guardLeaks();

describe('refusals', () => {
  it('a refused message has a trace that begins with its refusal and names the report', async () => {
    await using mesh = await TracedExchange.start();
    const reply = await mesh.sender.send({ to: 'X26OFF4', workflowId }, 'hello');
    expect(reply.status).toBe(417);
    const id = sentIdOf(reply);
    expect((await mesh.namesOf(id)).toSorted()).toEqual(['report', 'route', 'send-message']);
    expect(await mesh.span(id, 'send-message')).toMatchObject({ parentSpanId: undefined, failed: false });
    expect((await mesh.span(id, 'send-message')).attributes['error.type']).toMatch(/^[a-z-]+$/);
    expect(await mesh.span(id, 'route')).toMatchObject({ failed: true, attributes: { 'openmesh.state': 'error' } });
  });

  it('whoever is refused a message shows in its trace, and whoever asks for none shows nowhere', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    const other = mesh.exchange.client('Y99ABC3');
    expect((await other.download(id)).status).toBe(403);
    const refused = await mesh.span(id, 'download-message');
    expect(refused.attributes).toMatchObject({
      'http.response.status_code': 403,
      'error.type': 'forbidden',
      'openmesh.mailbox': 'Y99ABC3',
    });
    const before = mesh.collector.spans.length;
    await other.download('20200101000000000000_ABCDEF');
    await other.acknowledge('JANE_SMITH_9000000009');
    await mesh.exchange.client('Y99ABC3', { password: 'wrong' }).download(id);
    await mesh.sender.send({ to: 'nobody at all', workflowId }, 'hello', { authorization: 'NHSMESH nonsense' });
    await mesh.exchange.running.flush();
    expect(mesh.collector.spans.slice(before)).toEqual([]);
  });
});

describe('the log', () => {
  it('is found from a span: both have the correlation id of the request, and name the message', async () => {
    await using mesh = await TracedExchange.start();
    const id = sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello'));
    await mesh.recipient.download(id);
    await mesh.recipient.acknowledge(id);
    const lines = mesh.exchange.logLines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const requests = lines.filter(({ event }) => event === 'request');
    expect(requests.map(({ operation, messageId }) => [operation, messageId])).toEqual([
      ['send-message', id],
      ['download-message', id],
      ['acknowledge', id],
    ]);
    const spans = (await mesh.spansOf(id)).filter(({ kind }) => kind === 2);
    expect(spans.map(({ attributes }) => attributes['openmesh.correlation_id'])).toEqual(
      requests.map(({ correlationId }) => correlationId),
    );
  });
});

describe('what a caller says of its own trace', () => {
  it('is a link of ours, decides nothing, and is left out where it is none', async () => {
    await using mesh = await TracedExchange.start();
    const [theirs, span1] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const to = { to: 'X26ABC2', workflowId };
    const sendWith = async (traceparent: string): Promise<string> =>
      sentIdOf(await mesh.sender.send(to, 'hello', { headers: { traceparent } }));
    const id = await sendWith(`00-${theirs}-${span1}-00`);
    expect(await mesh.span(id, 'send-message')).toMatchObject({
      traceId: traceOf(id).traceId,
      parentSpanId: undefined,
      links: [`${theirs}/${span1}`],
    });
    expect((await mesh.span(await sendWith('Jane Smith 9000000009'), 'send-message')).links).toEqual([]);
    expect(mesh.collector.everything).not.toContain('Jane');
  });
});

describe('a share', () => {
  it('of nothing sends nothing', async () => {
    await using mesh = await TracedExchange.start({ OPENMESH_TRACES_SHARE: '0' });
    await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello');
    await mesh.exchange.running.flush();
    expect(mesh.collector.offers).toBe(0);
  });

  it('of some is of whole messages', async () => {
    await using mesh = await TracedExchange.start({ OPENMESH_TRACES_SHARE: '0.5' });
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push(sentIdOf(await mesh.sender.send({ to: 'X26ABC2', workflowId }, 'hello')));
    for (const id of ids) await mesh.recipient.acknowledge(id);
    const counts = await Promise.all(ids.map(async (id) => (await mesh.spansOf(id)).length));
    // One of a million runs has all twenty messages on one side.
    expect(new Set(counts)).toEqual(new Set([0, 3]));
  });
});

describe('what is private', () => {
  const secrets = ['Discharge of Jane', 'letter-of-jane.pdf', 'local-ref-77', 'partner-42', 'd41d8cd9', 'body of jane'];
  const headers = {
    'Mex-Subject': 'Discharge of Jane',
    'Mex-FileName': 'letter-of-jane.pdf',
    'Mex-LocalID': 'local-ref-77',
    'Mex-PartnerID': 'partner-42',
    'Mex-Content-Checksum': 'md5 d41d8cd98f00b204e9800998ecf8427e',
  };

  it('is in no byte that is sent, whatever becomes of the message', async () => {
    await using mesh = await TracedExchange.start();
    const made = ['JANE SMITH 9000000009', 'GPPROVIDER_9000000009_19800229_SMITH'];
    const send = (to: string, workflow: string, chunkRange?: string) =>
      mesh.sender.send({ to, workflowId: workflow, ...(chunkRange && { chunkRange }) }, 'body of jane', { headers });
    const id = sentIdOf(await send('X26ABC2', 'JANE SMITH 9000000009'));
    const upload = sentIdOf(await send('X26ABC2', workflowId, '1:2'));
    await mesh.sender.sendChunk(upload, 2, 2, 'body of jane', { headers });
    await send('X26OFF4', workflowId);
    await send('GPPROVIDER_9000000009_19800229_SMITH', workflowId);
    await mesh.rule('R1', 'redirect');
    await send('X26ABC2', workflowId);
    await mesh.recipient.download(id);
    await mesh.recipient.request('GET', `/inbox/${id}?name=Discharge+of+Jane`);
    await mesh.recipient.acknowledge(id);
    await mesh.passDays(5);
    for (const report of listedIdsOf(await mesh.sender.list())) await mesh.sender.download(report);
    await mesh.passDays(60);
    await mesh.exchange.running.flush();
    expect(mesh.collector.spans.length).toBeGreaterThan(20);
    const tokens = [seededPassword, 'kit-shared-key', 'NHSMESH', 'authorization'];
    const everything = mesh.collector.everything.toLowerCase();
    const found = [...secrets, ...made, ...tokens].filter((word) => everything.includes(word.toLowerCase()));
    expect(found).toEqual([]);
    expect((await mesh.span(id, 'send-message')).attributes['openmesh.workflow_id']).toBeUndefined();
    expect(namesNotIn('docs/operate/traces.md', mesh.collector)).toEqual([]);
  });
});

/** Names of spans and attributes that were sent and are not in the page. */
function namesNotIn(path: string, collector: TraceCollector): readonly string[] {
  const page = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const names = collector.spans.flatMap(({ name, attributes }) => [name, ...Object.keys(attributes)]);
  const ofResource = collector.resources.flatMap((resource) => Object.keys(resource));
  return [...new Set([...names, ...ofResource])].filter((name) => !page.includes(`\`${name}\``));
}
