import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectError, expectInvalid, versions } from '../../kit/wire-answers.ts';

interface Fault {
  readonly name: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
  /** Status and code of the answer; for a validation error the code is the type of its first field. */
  readonly answer: string;
}

/** In the order of evaluation: of any two faults in one request, the earlier is answered. */
const faults: readonly Fault[] = [
  { name: 'control character', headers: { 'Mex-PartnerID': 'a\tb' }, answer: '400 06' },
  { name: 'checksum characters', headers: { 'Mex-Content-Checksum': '=' }, answer: '400 Invalid checksum' },
  { name: 'over-long header', headers: { 'Mex-LocalID': 'l'.repeat(301) }, answer: '400 string_too_long' },
  { name: 'blank recipient', headers: { 'Mex-To': ' ' }, answer: '400 08' },
  { name: 'another sender', headers: { 'Mex-From': 'X26ABC2' }, answer: '417 07' },
  { name: 'message type', headers: { 'Mex-MessageType': 'REPORT' }, answer: '417 11' },
  { name: 'content encoding', headers: { 'Content-Encoding': 'br' }, answer: '422 UnsupportedContentEncoding' },
  { name: 'chunk range', headers: { 'Mex-Chunk-Range': '2:3' }, answer: '417 InvalidHeaderChunks' },
  { name: 'unknown recipient', headers: { 'Mex-To': 'NOBODY9' }, answer: '417 12' },
  { name: 'empty body', body: '', answer: '417 02' },
];
const onlyLive = new Set(['another sender', 'message type']);

const pairs = faults.flatMap((first, at) => faults.slice(at + 1).map((second) => ({ first, second })));

function answerOf(reply: MeshReply): string {
  const body = jsonOf(reply) as { detail: readonly { code?: string; type?: string }[] };
  const [detail] = body.detail;
  return `${reply.status} ${detail?.code ?? detail?.type}`;
}

describe.each(bothRules)('the order of a send’s failures under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules });
  });
  afterAll(() => exchange.stop());

  const send = (
    headers: Readonly<Record<string, string | null>>,
    body = 'payload',
    authorization?: string,
  ): Promise<MeshReply> =>
    exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, body, {
      headers,
      ...(authorization === undefined ? {} : { authorization }),
    });
  const applies = ({ name }: Fault): boolean => rules === 'live' || !onlyLive.has(name);

  it.each(faults)('answers a wrong token before $name', async ({ headers, body }) => {
    const reply = await send(headers ?? {}, body, 'NHSMESH X26ABC1:n:0:1:2');
    expect(reply.status).toBe(403);
  });

  it.each(pairs.filter((pair) => applies(pair.first) && applies(pair.second)))(
    'answers $first.name before $second.name',
    async ({ first, second }) => {
      const reply = await send({ ...second.headers, ...first.headers }, first.body ?? second.body);
      expect(answerOf(reply)).toBe(first.answer);
    },
  );
});

describe.each(versions)('what only the live rules refuse, in version %i', (version) => {
  let live: ExchangeInProcess;
  let sandbox: ExchangeInProcess;
  beforeAll(async () => {
    live = await ExchangeInProcess.start({ rules: 'live' });
    sandbox = await ExchangeInProcess.start({ rules: 'sandbox' });
  });
  afterAll(() => Promise.all([live.stop(), sandbox.stop()]));

  const send = (exchange: ExchangeInProcess, headers: Record<string, string>): Promise<MeshReply> =>
    exchange.client('X26ABC1', { version }).send({ to: 'X26ABC2', workflowId: 'WF' }, 'payload', { headers });

  it('refuses a Mex-From of another mailbox with SEND 07, which the sandbox ignores', async () => {
    const headers = { 'Mex-From': 'X26ABC2' };
    const words = { status: 417, event: 'SEND', code: '07', text: 'Invalid From Address in the control file' };
    expectError(await send(live, headers), version, words);
    expect((await send(sandbox, headers)).status).toBe(202);
  });

  it('takes a Mex-From that is the sender in any case and with blanks, or is blank', async () => {
    for (const from of ['x26abc1', ' X26ABC1 ', '', ' ']) {
      expect((await send(live, { 'Mex-From': from })).status).toBe(202);
    }
  });

  it('refuses a message type other than DATA with SEND 11, which the sandbox ignores', async () => {
    const headers = { 'Mex-MessageType': 'REPORT' };
    const words = { status: 417, event: 'SEND', code: '11', text: 'Invalid Message Type for the transfer' };
    expectError(await send(live, headers), version, words);
    expect((await send(sandbox, headers)).status).toBe(202);
    expect((await send(live, { 'Mex-MessageType': 'Data' })).status).toBe(202);
  });

  it('refuses an empty workflow id, which the sandbox takes', async () => {
    const headers = { 'Mex-WorkflowID': '' };
    expectInvalid(await send(live, headers), [{ type: 'string_too_short', loc: ['header', 'mex-workflowid'] }]);
    expect(sentIdOf(await send(sandbox, headers))).toMatch(/^\d{20}_/);
  });
});
