import { createMessageCommand } from '@openmesh/exchange/cli/message.ts';
import { serveKeys } from '@openmesh/exchange/keys/keys-at-hand.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ruleOf, sharedSeeds } from '../../kit/routing-cases.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const dayMs = 86_400_000;
let exchange: ExchangeInProcess;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off', seeds: sharedSeeds() });
  const rules = [
    ruleOf(
      { id: 'r1', action: 'redirect', to: 'THIRD', ifRecipient: 'RECIP', workflow: 'WF3' },
      exchange.clock.nowMs(),
    ),
    ruleOf({ id: 'r2', action: 'copy', to: 'FOURTH', ifRecipient: 'RECIP', workflow: 'WF' }, exchange.clock.nowMs()),
  ];
  const known = exchange.rooms.registry.current().workflow('WF');
  if (known === undefined) throw new Error('the seeds have WF');
  const odd = { ...known, workflowId: 'ODD', title: '<script>alert(1)</script>', owner: 'a"b&c' };
  const workflows = [
    odd,
    { ...known, workflowId: 'OLD', status: 'deprecated' as const },
    { ...known, workflowId: 'GONE', status: 'withdrawn' as const },
    { ...known, workflowId: 'SOON', status: 'draft' as const },
    { ...known, workflowId: 'SMALL', sizeBytesMax: 10, chunking: false },
    { ...known, workflowId: 'CIVIL', civilRegistration: true },
  ];
  await exchange.change({ rules, workflows });
});
afterAll(() => exchange.stop());

async function preflight(headers: Record<string, string>, version: 1 | 2 = 2) {
  const reply = await exchange.client('SENDER', { version }).request('POST', '/preflight', { headers });
  return { status: reply.status, body: jsonOf(reply) as { errors?: { code: string }[] } };
}

describe('preflight', () => {
  it('says that a message would be accepted, and never where a redirect would take it', async () => {
    const { status, body } = await preflight({ 'Mex-To': 'RECIP', 'Mex-WorkflowID': 'WF3' });
    expect(status).toBe(200);
    expect(body).toEqual({ accepted: true, recipient: 'RECIP', recipient_name: 'RECIP', errors: [], warnings: [] });
    expect(listedIdsOf(await exchange.client('RECIP').list())).toEqual([]);
  });

  it.each([
    ['an unknown recipient', { 'Mex-To': 'NOBODY', 'Mex-WorkflowID': 'WF' }, '12'],
    ['a restricted workflow', { 'Mex-To': 'FOURTH', 'Mex-WorkflowID': 'SECRET' }, '17'],
    ['a withdrawn workflow', { 'Mex-To': 'RECIP', 'Mex-WorkflowID': 'GONE' }, '16'],
    ['civil registration', { 'Mex-To': 'RECIP', 'Mex-WorkflowID': 'CIVIL' }, '18'],
    ['chunks', { 'Mex-To': 'RECIP', 'Mex-WorkflowID': 'SMALL', 'Mex-Chunk-Range': '1:2' }, 'InvalidHeaderChunks'],
    ['size', { 'Mex-To': 'RECIP', 'Mex-WorkflowID': 'SMALL', 'OpenMESH-Message-Bytes': '11' }, 'MessageTooLarge'],
  ])('answers as a send would be: %s', async (_what, headers, code) => {
    const { status, body } = await preflight(headers);
    expect([status, body.errors?.map((error) => error.code)]).toEqual([200, [code]]);
    const { 'OpenMESH-Message-Bytes': bytes = '1', ...sent } = headers as Record<string, string>;
    const reply = await exchange
      .client('SENDER')
      .request('POST', '/outbox', { headers: sent, body: 'x'.repeat(Number(bytes)) });
    const { detail } = jsonOf(reply) as { detail: { code: string }[] };
    expect(detail[0]?.code).toBe(code);
  });

  it('names no patient whose address it was asked about, in answers, logs and refusals', async () => {
    const { body } = await preflight({ 'Mex-To': 'GPPROVIDER_9000000009_19900101_SMITH', 'Mex-WorkflowID': 'WF' });
    expect(JSON.stringify(body)).not.toContain('SMITH');
    expect(exchange.logLines.join('')).not.toContain('SMITH');
    expect(JSON.stringify(await exchange.refusals())).not.toContain('SMITH');
  });
});

it('a message of a deprecated workflow is taken, with a warning to its sender', async () => {
  const reply = await exchange.client('SENDER').send({ to: 'RECIP', workflowId: 'OLD' }, 'x');
  expect([reply.status, reply.headers['openmesh-warning']]).toEqual([202, 'deprecated-workflow']);
});

describe('the public page of workflows', () => {
  it('shows, searches and pages what the registry has, drafts left out, and escapes what it shows', async () => {
    const client = exchange.client('SENDER');
    const get = (path: string) => client.requestAt('GET', path, { authorization: null });
    const page = await get('/workflows?q=ODD');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.body.toString()).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.body.toString()).not.toContain('<script>');
    const hostile = await get(`/workflows?q=${encodeURIComponent('"><img src=x>')}`);
    expect(hostile.body.toString()).not.toContain('<img');
    const all = jsonOf(await get('/workflows.json')) as { found: number; workflows: { workflow_id: string }[] };
    const ids = all.workflows.map((workflow) => workflow.workflow_id);
    expect(ids).not.toContain('SOON');
    expect(all.found).toBe(ids.length);
    const walked: string[] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const part = jsonOf(await get(`/workflows.json?limit=2&after=${after}`)) as typeof all & { next?: string };
      walked.push(...part.workflows.map((workflow) => workflow.workflow_id));
      after = part.next;
    }
    expect(walked).toEqual(ids);
  });
});

/** What the command prints, run on the running exchange's own ledger. */
async function lineage(...args: readonly string[]): Promise<{ readonly status: number; readonly out: string }> {
  const { ledger, sealer, keys } = exchange.rooms;
  const session = { ledger, sealer, keys: serveKeys(keys), close: () => Promise.resolve() };
  const command = createMessageCommand(() => Promise.resolve(session));
  const out: string[] = [];
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void out.push(text),
    env: {
      OPENMESH_PROFILE: 'sandbox',
      OPENMESH_TLS: 'off',
      OPENMESH_SHARED_KEY: 'k',
    },
  };
  return { status: await command.run(['lineage', ...args], io), out: out.join('') };
}

describe('the lineage of a message', () => {
  it('is one graph, whichever of its messages is asked for: original, copy, resend, report', async () => {
    const sender = exchange.client('SENDER');
    const id = sentIdOf(
      await sender.send({ to: 'RECIP', workflowId: 'WF' }, 'x', { headers: { 'Mex-Subject': 'Ann Smith' } }),
    );
    const [copyId = ''] = listedIdsOf(await exchange.client('FOURTH').list());
    const resendId = (await exchange.rooms.hall.duplicate(id as never)) ?? '';
    exchange.clock.advance(5 * dayMs + 1000);
    await exchange.runDueWork();
    const reports: string[] = [];
    for (const reportId of listedIdsOf(await sender.list())) {
      const { headers } = await sender.download(reportId);
      if ([id, resendId].includes(headers['mex-linkedmsgid'] ?? '')) reports.push(reportId);
    }
    expect(reports).toHaveLength(2);
    const family = new Set([id, copyId, resendId, ...reports]);
    expect(family.size).toBeGreaterThanOrEqual(4);
    for (const member of [id, copyId, resendId, ...reports]) {
      const { status, out } = await lineage(member, '--json');
      expect(status).toBe(0);
      const { messages, edges } = JSON.parse(out) as {
        messages: { messageId: string }[];
        edges: { from: string; to: string; kind: string }[];
      };
      expect(new Set(messages.map(({ messageId }) => messageId))).toEqual(family);
      expect(edges).toContainEqual({ from: id, to: copyId, kind: 'copy' });
      expect(edges).toContainEqual({ from: id, to: resendId, kind: 'resend' });
      expect(
        edges
          .filter(({ kind }) => kind === 'report')
          .map(({ to }) => to)
          .sort(),
      ).toEqual([...reports].sort());
      expect(out).not.toContain('Ann Smith');
    }
    const tree = await lineage(id);
    expect(tree.out).toContain(`sent ${id}`);
    expect(tree.out).toContain(`copied RECIP → FOURTH by rule r2 version 1`);
    expect(tree.out).toContain(`copy ${copyId}`);
  });

  it('shows a redirect, and is written as FHIR AuditEvents without a text of the message', async () => {
    const sender = exchange.client('SENDER');
    const id = sentIdOf(
      await sender.send({ to: 'RECIP', workflowId: 'WF3' }, 'x', { headers: { 'Mex-Subject': 'Ann Smith' } }),
    );
    await exchange.client('THIRD').acknowledge(id);
    const { out } = await lineage(id, '--fhir');
    const bundle = JSON.parse(out) as { resourceType: string; entry: { resource: Record<string, unknown> }[] };
    expect(bundle.resourceType).toBe('Bundle');
    const codes = bundle.entry.map(({ resource }) => (resource['subtype'] as { code: string }[])[0]?.code);
    expect(codes).toEqual(['accepted', 'redirected', 'acknowledged']);
    for (const { resource } of bundle.entry) {
      expect(resource).toMatchObject({
        resourceType: 'AuditEvent',
        type: { code: expect.any(String) },
        source: { observer: {} },
      });
      for (const needed of ['recorded', 'agent', 'outcome', 'entity']) expect(resource[needed]).toBeDefined();
    }
    expect(out).toContain('"valueString": "r1"');
    expect(out).not.toContain('Ann Smith');
    const events = await exchange.timeline(id);
    expect(events.map(({ kind }) => kind)).toContain('redirected');
  });

  it('of a message that is unknown is a sentence and 1', async () => {
    expect(await lineage('20200101000000000000_ABCDEF')).toMatchObject({ status: 1 });
  });
});

it('a rule that another process put in force counts for the next message, without a restart or a reload', async () => {
  const { ledger, registry } = exchange.rooms;
  const known = registry.current().version;
  const rule = ruleOf({ id: 'r9', action: 'redirect', to: 'SIXTH', ifRecipient: 'FIFTH' }, exchange.clock.nowMs());
  const audit = { atMs: 0, actor: 'another', action: 'rule.approve', subject: 'r9', detail: '{}' };
  const { version } = await ledger.registry.change({ rules: [rule], audit });
  expect(version).toBe(known + 1);
  const id = sentIdOf(await exchange.client('SENDER').send({ to: 'FIFTH', workflowId: 'WF' }, 'x'));
  expect(listedIdsOf(await exchange.client('SIXTH').list())).toEqual([id]);
  expect(listedIdsOf(await exchange.client('FIFTH').list())).toEqual([]);
});
