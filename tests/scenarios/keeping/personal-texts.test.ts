import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  listedIdsOf,
  type MeshClient,
  type MeshReply,
  type MeshRequestOptions,
  sentIdOf,
} from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules } from '../../kit/wire-answers.ts';

/** Each holds a word that occurs nowhere else, so that it is found wherever it went. */
const personal = {
  subject: 'SECRETSUBJECT <script>alert(1)</script> "}{\\u0000 ${x}',
  fileName: 'SECRETFILE/../../etc/passwd',
  localId: 'SECRETLOCAL 943 476 5919',
  partner: 'SECRETPARTNER',
  address: 'GPPROVIDER_9434765919_SECRETBIRTH_SECRETNAME',
  password: 'SECRETPASSWORD',
};
const words = /SECRET[A-Z]+|9434765919|kit-shared-key|kit-password/i;
const dayMs = 86_400_000;

const headers = {
  'Mex-Subject': personal.subject,
  'Mex-FileName': personal.fileName,
  'Mex-LocalID': personal.localId,
  'Mex-PartnerID': personal.partner,
};

describe.each(bothRules)('personal texts and secrets under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  const replies: MeshReply[] = [];
  const refused: MeshReply[] = [];
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, tls: 'off' });
    await everythingThatCarriesThem();
  });
  afterAll(() => exchange.stop());

  async function ask(
    client: MeshClient,
    method: string,
    path: string,
    options: MeshRequestOptions = {},
  ): Promise<MeshReply> {
    const reply = await client.request(method, path, options);
    (reply.status >= 400 ? refused : replies).push(reply);
    return reply;
  }

  async function everythingThatCarriesThem(): Promise<void> {
    const sender = exchange.client('X26ABC1');
    const reader = exchange.client('X26ABC2');
    const to = { 'Mex-To': 'X26ABC2', 'Mex-WorkflowID': 'WF' };
    const whole = sentIdOf(await ask(sender, 'POST', '/outbox', { headers: { ...to, ...headers }, body: 'x' }));
    const begun = sentIdOf(
      await ask(sender, 'POST', '/outbox', { headers: { ...to, ...headers, 'Mex-Chunk-Range': '1:2' }, body: 'x' }),
    );
    await ask(sender, 'POST', `/outbox/${begun}/2`, { headers, body: 'x' });
    const refusals: Record<string, string>[] = [
      { 'Mex-To': personal.address },
      { 'Mex-To': `${personal.address}${'_LONG'.repeat(20)}` },
      { 'Mex-To': `http://${personal.address}` },
      { 'Mex-From': personal.address },
      { 'Mex-Subject': `${personal.subject}\t` },
      { 'Mex-Subject': personal.subject.repeat(20) },
      { 'Mex-FileName': personal.fileName.repeat(30) },
      { 'Mex-LocalID': personal.localId.repeat(30) },
      { 'Mex-PartnerID': personal.partner.repeat(50) },
      { 'Mex-Content-Checksum': `=${personal.subject}` },
      { 'Mex-MessageType': personal.subject },
      { 'Mex-Chunk-Range': personal.password },
      { 'Content-Encoding': personal.subject },
      { 'Idempotency-Key': personal.localId },
      { Accept: `application/vnd.mesh.v${personal.password}+json` },
    ];
    for (const wrong of refusals)
      await ask(sender, 'POST', '/outbox', { headers: { ...to, ...headers, ...wrong }, body: 'x' });
    await ask(sender, 'POST', '/outbox', { headers: { ...to, ...headers }, body: '' });
    const segment = encodeURIComponent(personal.address);
    for (const path of [
      `/inbox/${segment}`,
      `/inbox/${segment}/1`,
      `/outbox/tracking/${segment}`,
      `/outbox/tracking?messageID=${segment}`,
      `/${segment}`,
    ])
      await ask(reader, 'GET', path);
    await ask(reader, 'PUT', `/inbox/${segment}/status/acknowledged`);
    await ask(sender, 'POST', `/outbox/${segment}/2`, { body: 'x' });
    await ask(sender, 'GET', `/outbox/tracking/${encodeURIComponent(personal.localId)}`);
    await ask(exchange.client(personal.address), 'GET', '/inbox');
    await ask(exchange.client('X26ABC1', { password: personal.password }), 'GET', '/inbox');
    await ask(sender, 'GET', '/inbox', { authorization: `NHSMESH X26ABC1:${personal.password}` });
    await ask(sender, 'POST', '', { headers: { 'mex-ClientVersion': personal.subject } });
    const lookup = `/messageexchange/endpointlookup/${segment}/${segment}`;
    replies.push(await sender.requestAt('GET', lookup, { authorization: null }));
    for (const id of listedIdsOf(await reader.list())) {
      await ask(reader, 'GET', `/inbox/${id}`);
      await ask(reader, 'HEAD', `/inbox/${id}`);
    }
    await ask(sender, 'GET', `/outbox/tracking?messageID=${whole}`);
    await ask(sender, 'GET', '/outbox/rich');
    exchange.clock.advance(5 * dayMs + 1000);
    await exchange.runDueWork();
  }

  it('are not needed to say which header or parameter was refused: the record of each names it', async () => {
    const details = (await exchange.refusals({ reason: 'validation' })).map(({ detail }) => detail);
    expect(details.join('\n')).toContain(
      'the headers of the message were refused: header mex-subject (string_too_long)',
    );
    for (const detail of details) expect(detail).toMatch(/: (header|query|path) [\w-]+ \(\w+\)/);
  });

  it('passed through: what was sent is told to those it was meant for', () => {
    expect(replies.length).toBeGreaterThan(5);
    expect(replies.some((reply) => reply.headers['mex-subject'] === personal.subject)).toBe(true);
  });

  it('are in no line of the log, and every request has a line', () => {
    expect(exchange.logLines.filter((line) => words.test(line))).toEqual([]);
    const logged = exchange.logLines.filter((line) => line.includes('"event":"request"'));
    expect(logged.length).toBeGreaterThanOrEqual(replies.length + refused.length);
  });

  it('are in no body or header of a refusal, but for what the path itself named', () => {
    expect(refused.length).toBeGreaterThan(20);
    for (const reply of refused) {
      expect(reply.body.toString()).not.toMatch(words);
      expect(reply.rawHeaders.join('\n')).not.toMatch(words);
    }
  });

  it('are in no record of a refusal and on no timeline', async () => {
    const records = await exchange.refusals();
    expect(records.length).toBeGreaterThan(20);
    expect(JSON.stringify(records)).not.toMatch(words);
    for (const id of listedIdsOf(await exchange.client('X26ABC1').list()))
      expect(JSON.stringify(await exchange.timeline(id))).not.toMatch(words);
  });

  it('are nowhere readable in the ledger’s files', async () => {
    await exchange.running.flush();
    const files = ['', '-wal'].map((suffix) => readFileSync(`${exchange.ledgerFile}${suffix}`).toString('latin1'));
    // A handshake's words are kept to be shown; it was refused here, so nothing of it is.
    for (const file of files) expect(words.exec(file)?.[0]).toBeUndefined();
  });

  it('are not in the metrics', async () => {
    const answer = await fetch(`http://127.0.0.1:${exchange.running.operatorsPort}/metrics`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toMatch(words);
  });
});
