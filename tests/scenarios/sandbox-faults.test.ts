import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, type MeshReply, sentIdOf } from '../kit/mesh-client.ts';
import { RunningSandbox } from '../kit/running-sandbox.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

let folder: TemporaryFolder;
let sandbox: RunningSandbox;

beforeAll(async () => {
  folder = await temporaryFolder('faults');
  sandbox = await RunningSandbox.start({ dataFolder: folder.path, env: { OPENMESH_NONCE_CHECK: 'strict' } });
  // The threads that hash large bodies start with the first of them and stay: no test shall seem to leave them open.
  const id = sentIdOf(await sandbox.client('X26ABC1').send(to, Buffer.alloc(9_000_000)));
  await sandbox.client('X26ABC2').download(id);
  await sandbox.reset();
});

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await folder.remove();
});

afterEach(() => sandbox.reset());

const path = '/messageexchange/admin/faults';
const to = { to: 'X26ABC2', workflowId: 'WF1' };

async function script(...rules: readonly object[]): Promise<MeshReply> {
  const reply = await sandbox.admin('POST', path, rules.length === 1 ? rules[0] : rules);
  expect(reply.status, reply.body.toString()).toBe(200);
  return reply;
}

it('answers a status with the body of the catalogue and leaves the token unused', async () => {
  await script({ kind: 'status', status: 503, operation: 'send-message', times: 1 });
  const client = sandbox.client('X26ABC1');
  const authorization = client.authorization();
  const first = await client.send(to, 'hello', { authorization });
  expect([first.status, first.headers['retry-after']]).toEqual([503, '1']);
  expect(jsonOf(first)).toMatchObject({ detail: [{ msg: 'Service Unavailable' }] });
  const again = await client.send(to, 'hello', { authorization });
  expect(again.status).toBe(202);
  expect((await client.send(to, 'hello', { authorization })).status).toBe(403);
});

it.each([
  [429, 'Too Many Requests', '1'],
  [500, 'An internal error occurred', undefined],
  [502, 'Bad Gateway', undefined],
  [504, 'Gateway Timeout', undefined],
  [425, 'Too Early', undefined],
  [417, '', undefined],
])('answers %i in both versions', async (status, text, wait) => {
  await script({ kind: 'status', status });
  for (const accept of [null, 'application/vnd.mesh.v2+json']) {
    const reply = await sandbox.client('X26ABC1', { accept }).count();
    expect([reply.status, reply.headers['retry-after']]).toEqual([status, wait]);
    expect(reply.body.toString()).toContain(text);
    expect(typeof jsonOf(reply)).toBe('object');
  }
});

it('holds for one mailbox and one operation only, and so many times', async () => {
  await script({ kind: 'status', status: 503, mailbox: 'x26abc1', operation: 'count-inbox', times: 2 });
  const statuses = [];
  for (let n = 0; n < 3; n += 1) statuses.push((await sandbox.client('X26ABC1').count()).status);
  expect(statuses).toEqual([503, 503, 200]);
  expect((await sandbox.client('X26ABC2').count()).status).toBe(200);
  expect((await sandbox.client('X26ABC1').list()).status).toBe(200);
});

it('never strikes somebody whose token is wrong, nor its own administration', async () => {
  await script({ kind: 'status', status: 503, times: 1 });
  expect((await sandbox.client('X26ABC1', { password: 'wrong' }).count()).status).toBe(403);
  expect(jsonOf(await sandbox.admin('GET', path))).toMatchObject({ faults: [{ happened: 0 }] });
  expect((await sandbox.client('X26ABC1').count()).status).toBe(503);
});

async function patternOf(seed: number): Promise<string> {
  await sandbox.admin('DELETE', path);
  await script({ kind: 'status', status: 503, probability: 0.5, seed });
  let pattern = '';
  for (let n = 0; n < 24; n += 1) pattern += (await sandbox.client('X26ABC1').count()).status === 503 ? 'x' : '.';
  return pattern;
}

it('throws its dice from the seed, so that a run can be repeated', async () => {
  const first = await patternOf(7);
  expect(first).toMatch(/x.*\.|\..*x/);
  expect(await patternOf(7)).toBe(first);
  expect(await patternOf(8)).not.toBe(first);
});

it('delays until the script is cleared', async () => {
  await script({ kind: 'delay', delayMs: 600_000, operation: 'count-inbox' });
  const waiting = sandbox.client('X26ABC1').count();
  // Other operations go on meanwhile; this one also proves that the first has arrived.
  await expect
    .poll(
      async () => (jsonOf(await sandbox.admin('GET', path)) as { faults: { happened: number }[] }).faults[0]?.happened,
    )
    .toBe(1);
  expect((await sandbox.client('X26ABC1').list()).status).toBe(200);
  await sandbox.admin('DELETE', path);
  expect((await waiting).status).toBe(200);
});

it('loses the answer after the work is done', async () => {
  await script({ kind: 'lost-answer', operation: 'send-message', times: 1 });
  await expect(sandbox.client('X26ABC1').send(to, 'hello')).rejects.toThrow();
  const waiting = listedIdsOf(await sandbox.client('X26ABC2').list());
  expect(waiting).toHaveLength(1);
  expect((await sandbox.client('X26ABC2').download(waiting[0] ?? '')).body.toString()).toBe('hello');
});

it.each([100, 5_000_000])('changes one byte of a download of %i bytes and keeps its length', async (size) => {
  const sent = Buffer.alloc(size, 'abc');
  const id = sentIdOf(await sandbox.client('X26ABC1').send(to, sent));
  await script({ kind: 'corrupt-chunk', times: 1, seed: 3 });
  const broken = await sandbox.client('X26ABC2').download(id);
  expect([broken.status, broken.body.length]).toEqual([200, size]);
  expect(broken.body.filter((byte, index) => byte !== sent[index])).toHaveLength(1);
  expect((await sandbox.client('X26ABC2').download(id)).body.equals(sent)).toBe(true);
});

it('loses the answer of a large download without keeping its file open', async () => {
  const id = sentIdOf(await sandbox.client('X26ABC1').send(to, Buffer.alloc(5_000_000, 1)));
  await script({ kind: 'lost-answer', operation: 'download-message', times: 1 });
  await expect(sandbox.client('X26ABC2').download(id)).rejects.toThrow();
});

it('does not spend a corruption on a report, which has no bytes', async () => {
  const report = { mailbox_id: 'X26ABC1', code: '1', description: 'x', workflow_id: 'WF1' };
  const made = jsonOf(await sandbox.admin('POST', '/messageexchange/admin/report', report)) as { message_id: string };
  await script({ kind: 'corrupt-chunk', times: 1 });
  expect((await sandbox.client('X26ABC1').download(made.message_id)).status).toBe(200);
  expect(jsonOf(await sandbox.admin('GET', path))).toMatchObject({ faults: [{ happened: 0 }] });
});

it('delivers a message twice, the second time under another id and with the same bytes', async () => {
  await script({ kind: 'duplicate', operation: 'send-message', times: 1 });
  const id = sentIdOf(await sandbox.client('X26ABC1').send({ ...to, localId: 'l1' }, 'hello'));
  const [first = '', second = ''] = listedIdsOf(await sandbox.client('X26ABC2').list());
  expect(first).toBe(id);
  const copy = await sandbox.client('X26ABC2').download(second);
  expect([copy.body.toString(), copy.headers['mex-localid']]).toEqual(['hello', 'l1']);
  await sandbox.client('X26ABC2').acknowledge(first);
  expect(listedIdsOf(await sandbox.client('X26ABC2').list())).toEqual([second]);
});

it('delivers a chunked message twice once its last chunk has come', async () => {
  await script({ kind: 'duplicate' });
  const id = sentIdOf(await sandbox.client('X26ABC1').send({ ...to, chunkRange: '1:2' }, 'one'));
  await sandbox.client('X26ABC1').sendChunk(id, 2, 2, 'two');
  const waiting = listedIdsOf(await sandbox.client('X26ABC2').list());
  expect(waiting).toHaveLength(2);
  for (const waitingId of waiting) {
    expect((await sandbox.client('X26ABC2').downloadChunk(waitingId, 2)).body.toString()).toBe('two');
  }
});

it('is listed with how often it happened, and cleared by its own route and by a reset', async () => {
  const [first] = (jsonOf(await script({ kind: 'status', status: 503, times: 3 })) as { faults: object[] }).faults;
  expect(first).toMatchObject({ kind: 'status', status: 503, times: 3, probability: 1, happened: 0 });
  await sandbox.client('X26ABC1').count();
  expect(jsonOf(await sandbox.admin('GET', '/admin/faults'))).toMatchObject({ faults: [{ happened: 1 }] });
  expect(jsonOf(await sandbox.admin('DELETE', '/admin/faults'))).toEqual({ faults: [] });
  await script({ kind: 'status', status: 503 }, { kind: 'delay', delayMs: 1 });
  await sandbox.admin('DELETE', '/messageexchange/admin/reset');
  expect(jsonOf(await sandbox.admin('GET', path))).toEqual({ faults: [] });
});

it.each([
  [{}, ['kind']],
  [{ kind: 'explode' }, ['kind']],
  [{ kind: 'status' }, ['status']],
  [{ kind: 'status', status: 200 }, ['status']],
  [{ kind: 'delay', delayMs: -1 }, ['delayMs']],
  [{ kind: 'delay' }, ['delayMs']],
  [{ kind: 'corrupt-chunk', operation: 'send-message' }, ['operation']],
  [{ kind: 'duplicate', operation: 'admin' }, ['operation']],
  [
    { kind: 'status', status: 503, times: 0, probability: 2, seed: 1.5, mailbox: 'a b' },
    ['mailbox', 'times', 'seed', 'probability'],
  ],
])('refuses the rule %j and names every member at fault', async (rule, members) => {
  const reply = await sandbox.admin('POST', path, rule);
  expect(reply.status).toBe(400);
  const { detail } = jsonOf(reply) as { detail: { loc: string[] }[] };
  expect(new Set(detail.map(({ loc }) => loc.at(-1)))).toEqual(new Set(members));
  expect(jsonOf(await sandbox.admin('GET', path))).toEqual({ faults: [] });
});
