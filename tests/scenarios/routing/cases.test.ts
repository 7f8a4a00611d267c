import { afterAll, beforeAll, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, type MeshClient, sentIdOf } from '../../kit/mesh-client.ts';
import { approvalsOf, type MessageCase, messageCases, ruleOf, sharedSeeds } from '../../kit/routing-cases.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

// The cases of conformance/routing/rules.json on the wire. `decisions.test.ts` asks the decision alone.

const dayMs = 86_400_000;
const everybody = ['SENDER', 'RECIP', 'THIRD', 'FOURTH', 'FIFTH', 'SIXTH'];
let exchange: ExchangeInProcess;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off', seeds: sharedSeeds() });
});
afterAll(() => exchange.stop());

const clients = new Map<string, MeshClient>();
function clientOf(mailbox: string): MeshClient {
  const known = clients.get(mailbox) ?? exchange.client(mailbox);
  clients.set(mailbox, known);
  return known;
}

/** Makes these the rules in force and no others, as of the next message. */
async function takeRules(each: MessageCase): Promise<void> {
  const nowMs = exchange.clock.nowMs();
  const { rules: before, approvals: old } = await exchange.rooms.ledger.registry.load();
  const version = Math.max(0, ...before.map((rule) => rule.version)) + 1;
  const rules = each.rules.map((rule) => ({ ...ruleOf(rule, nowMs), version }));
  const lapsed = old.map((approval) => ({ ...approval, validToMs: 0 }));
  await exchange.change({ rules: before.map((rule) => ({ ...rule, status: 'ended' as const })), approvals: lapsed });
  await exchange.change({ rules, approvals: approvalsOf(each, nowMs) });
}

async function emptyInboxes(): Promise<void> {
  for (const mailbox of everybody) {
    const client = clientOf(mailbox);
    for (const id of listedIdsOf(await client.list())) await client.acknowledge(id);
  }
}

async function waiting(): Promise<ReadonlyMap<string, readonly string[]>> {
  const lists = new Map<string, readonly string[]>();
  for (const mailbox of everybody) {
    const ids = listedIdsOf(await clientOf(mailbox).list());
    if (ids.length > 0) lists.set(mailbox, ids);
  }
  return lists;
}

const texts = { 'mex-subject': 'subject', 'mex-localid': 'local-1', 'mex-filename': 'name.txt' };

/** Sends the case's message and answers with its id, or with the code it was refused with. */
async function send({ message }: MessageCase): Promise<{ readonly id?: string; readonly refused?: string }> {
  const { from, to, workflow: workflowId, chunks = 1 } = message;
  const client = clientOf(from);
  const range = chunks === 1 ? {} : { chunkRange: `1:${chunks}` };
  const reply = await client.send({ to, workflowId, ...range }, 'one', { headers: texts });
  if (reply.status === 202) {
    const id = sentIdOf(reply);
    for (let chunk = 2; chunk <= chunks; chunk += 1) await client.sendChunk(id, chunk, chunks, `chunk ${chunk}`);
    return { id };
  }
  const { detail } = jsonOf(reply) as { detail: { code: string }[] };
  return { refused: detail[0]?.code ?? '' };
}

/** Somebody else's failed send leaves a report in the mailbox of the case. */
async function report({ message }: MessageCase): Promise<void> {
  const client = clientOf(message.to);
  expect((await client.send({ to: 'NOBODY', workflowId: message.workflow }, 'x')).status).toBe(417);
}

async function expectCopies(each: MessageCase, id: string, copies: ReadonlyMap<string, readonly string[]>) {
  const { copyHeaders = {}, copyHeadersAbsent = [], copiesUnknownToSender = false, sharesBytes = false } = each.expect;
  for (const mailbox of each.expect.copies ?? []) {
    const [copyId = ''] = copies.get(mailbox) ?? [];
    expect(copyId).not.toBe(id);
    const { headers, body } = await clientOf(mailbox).download(copyId);
    expect(headers).toMatchObject(copyHeaders);
    for (const name of copyHeadersAbsent) expect(headers[name]).toBeUndefined();
    if (sharesBytes) expect(body.toString()).toBe('one');
    if (!copiesUnknownToSender) continue;
    const sender = clientOf(each.message.from);
    expect((await sender.track(copyId)).status).toBe(404);
    expect((await sender.head(copyId)).status).not.toBe(200);
    const listed = await sender.request('GET', '/outbox/rich');
    expect(listed.body.toString()).not.toContain(copyId);
  }
}

async function expectSender(each: MessageCase, id: string): Promise<void> {
  const { senderSees, to = '' } = each.expect;
  if (senderSees === undefined) return;
  const sender = clientOf(each.message.from);
  const { recipient } = senderSees;
  expect(jsonOf(await sender.track(id))).toMatchObject({ recipient, status: 'accepted' });
  await clientOf(to).acknowledge(id);
  expect(jsonOf(await sender.track(id))).toMatchObject({ recipient, status: senderSees.afterCollection });
}

/** Lets five days pass, with the original collected when only copies are to stay. */
async function expectReports(each: MessageCase, id: string): Promise<void> {
  const { uncollected, reports = [], to = '' } = each.expect;
  if (uncollected === undefined) return;
  if (uncollected === 'copies') await clientOf(to).acknowledge(id);
  exchange.clock.advance(5 * dayMs + 1000);
  await exchange.runDueWork();
  const sender = clientOf(each.message.from);
  const codes: string[] = [];
  for (const reportId of listedIdsOf(await sender.list())) {
    const { headers } = await sender.download(reportId);
    codes.push(headers['mex-statuscode'] ?? '');
    expect(headers['mex-linkedmsgid']).toBe(id);
  }
  expect(codes).toEqual(reports);
}

it.each(messageCases.map((each) => [each.case, each.says, each] as const))('%s: %s', async (_case, _says, each) => {
  await emptyInboxes();
  await takeRules(each);
  const { to, copies = [], refused, report: reported } = each.expect;
  const sent = each.message.report === true ? await report(each) : await send(each);
  if (refused !== undefined) {
    expect(sent).toEqual({ refused });
    return;
  }
  const lists = await waiting();
  if (reported !== undefined) {
    expect([...lists.keys()]).toEqual([each.message.from]);
    const [reportId = ''] = lists.get(each.message.from) ?? [];
    const { headers } = await clientOf(each.message.from).download(reportId);
    expect(headers['mex-statuscode']).toBe(reported);
    return;
  }
  expect(new Set(lists.keys())).toEqual(new Set([to, ...copies]));
  for (const ids of lists.values()) expect(ids).toHaveLength(1);
  if (sent?.id === undefined) return;
  expect(lists.get(to ?? '')).toEqual([sent.id]);
  await expectCopies(each, sent.id, lists);
  await expectSender(each, sent.id);
  await expectReports(each, sent.id);
});

it('gives copies rows and no bytes: a message and its copies have one payload', async () => {
  await emptyInboxes();
  const each = messageCases.find((one) => one.case === 'many-cc');
  if (each === undefined) throw new Error('the case is gone');
  await takeRules(each);
  const { id = '' } = await send(each);
  const { routing } = exchange.rooms.ledger;
  const kin = await routing.family({ messageId: id as never, limit: 10 });
  expect(kin).toHaveLength(4);
  expect(new Set(kin.map(({ payloadId }) => payloadId))).toEqual(new Set([id]));
});

it('reads rules when the last chunk lands: what changed during an upload counts, what changes later does not', async () => {
  await emptyInboxes();
  const plain = messageCases.find((one) => one.case === 'fallback');
  const redirected = messageCases.find((one) => one.case === 'chunks' && one.expect.to === 'THIRD');
  if (plain === undefined || redirected === undefined) throw new Error('the cases are gone');
  await takeRules(plain);
  const client = clientOf('SENDER');
  const id = sentIdOf(await client.send({ to: 'RECIP', workflowId: 'WF', chunkRange: '1:2' }, 'one'));
  await takeRules(redirected);
  await client.sendChunk(id, 2, 2, 'two');
  expect([...(await waiting()).keys()]).toEqual(['THIRD']);
  await takeRules(plain);
  expect([...(await waiting()).keys()]).toEqual(['THIRD']);
});
