import { afterEach, beforeEach, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { RunningSandbox } from '../kit/running-sandbox.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

let folder: TemporaryFolder;
let sandbox: RunningSandbox;

beforeEach(async () => {
  folder = await temporaryFolder('clock');
  sandbox = await RunningSandbox.start({ dataFolder: folder.path });
});

afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  await folder.remove();
});

async function send(subject: string | null = 'my subject'): Promise<string> {
  const headers = { 'Mex-Subject': subject, 'Mex-FileName': 'f.txt' };
  const to = { to: 'X26ABC2', workflowId: 'WF1', localId: 'my-ref-1' };
  return sentIdOf(await sandbox.client('X26ABC1').send(to, 'hello', { headers }));
}

/** Seconds since 1970 of what begins with `yyyyMMddHHmmss`. */
function secondsOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d).*$/, '$1-$2-$3T$4:$5:$6Z')) / 1000;
}

async function clockOf(running: RunningSandbox) {
  const reply = await running.admin('GET', '/messageexchange/admin/clock');
  return jsonOf(reply) as { now: string; machine_now: string; offset_seconds: number };
}

it('turns a message nobody collects into exactly the non-delivery report, five days on', async () => {
  const id = await send();
  await sandbox.advance('P4DT23H');
  expect(listedIdsOf(await sandbox.client('X26ABC1').list())).toEqual([]);
  await sandbox.advance('PT1H');
  expect(listedIdsOf(await sandbox.client('X26ABC2').list())).toEqual([]);
  const [reportId = ''] = listedIdsOf(await sandbox.client('X26ABC1').list());
  const { status, headers, body } = await sandbox.client('X26ABC1').download(reportId);
  const {
    'mex-statustimestamp': at,
    date: _date,
    'last-modified': _modified,
    connection,
    'keep-alive': _alive,
    ...rest
  } = headers;
  expect([status, body.length, connection]).toEqual([200, 0, 'keep-alive']);
  expect(at).toMatch(/^\d{14}$/);
  // Made in one moment, in which a second may end.
  expect(secondsOf(reportId) - secondsOf(at ?? '')).toBeOneOf([0, 1]);
  expect(rest).toEqual({
    'content-type': 'application/octet-stream',
    'content-length': '0',
    'mex-to': 'X26ABC1',
    'mex-workflowid': 'WF1',
    'mex-localid': 'my-ref-1',
    'mex-subject': 'NDR: my subject',
    'mex-filename': `${reportId}.dat`,
    'mex-messagetype': 'REPORT',
    'mex-messageid': reportId,
    'mex-linkedmsgid': id,
    'mex-statuscode': '14',
    'mex-statusevent': 'SEND',
    'mex-statusdescription': 'Message not collected by recipient after 5 days',
    'mex-statussuccess': 'ERROR',
    'mex-total-chunks': '0',
    'mex-version': '1.0',
    'mex-addresstype': 'ALL',
  });
  expect(jsonOf(await sandbox.client('X26ABC1').track(id))).toMatchObject({
    status: 'undeliverable',
    status_code: '14',
  });
  expect((await sandbox.client('X26ABC2').download(id)).status).toBe(410);
});

it('reports a message without a subject as NDR, and expires the report itself in silence', async () => {
  await send(null);
  await sandbox.advance('P5D');
  const [reportId = ''] = listedIdsOf(await sandbox.client('X26ABC1').list());
  expect((await sandbox.client('X26ABC1').download(reportId)).headers['mex-subject']).toBe('NDR');
  await sandbox.advance('P5D');
  expect(listedIdsOf(await sandbox.client('X26ABC1').list())).toEqual([]);
});

it('counts the days of INBOX_EXPIRY_DAYS and says so in the report', async () => {
  await using elsewhere = await temporaryFolder('clock');
  await using short = await RunningSandbox.start({ dataFolder: elsewhere.path, env: { INBOX_EXPIRY_DAYS: '2' } });
  await short.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, 'hello');
  await short.advance('P2D');
  const [reportId = ''] = listedIdsOf(await short.client('X26ABC1').list());
  const { headers } = await short.client('X26ABC1').download(reportId);
  expect(headers['mex-statusdescription']).toBe('Message not collected by recipient after 2 days');
});

it('leaves an acknowledged message alone, and forgets every message after thirty days', async () => {
  const id = await send();
  await sandbox.client('X26ABC2').acknowledge(id);
  await sandbox.advance('P29D');
  expect((await sandbox.client('X26ABC1').track(id)).status).toBe(200);
  expect(listedIdsOf(await sandbox.client('X26ABC1').list())).toEqual([]);
  await sandbox.advance('P1D');
  for (const accept of [null, 'application/vnd.mesh.v2+json']) {
    expect((await sandbox.client('X26ABC1', { accept }).track(id)).status).toBe(404);
  }
  expect((await sandbox.client('X26ABC2').head(id)).status).toBe(404);
  expect((await sandbox.client('X26ABC2').download(id)).status).toBe(404);
  expect((await sandbox.admin('GET', `/admin/message/${id}`)).status).toBe(404);
});

it('shows both clocks, is put back by a reset, and keeps its place over a restart', async () => {
  await sandbox.advance('P5DT1H');
  const moved = await clockOf(sandbox);
  expect(moved.offset_seconds).toBe(5 * 86_400 + 3600);
  expect(Date.parse(moved.now) - Date.parse(moved.machine_now)).toBe(moved.offset_seconds * 1000);
  await sandbox[Symbol.asyncDispose]();
  sandbox = await RunningSandbox.start({ dataFolder: folder.path });
  expect((await clockOf(sandbox)).offset_seconds).toBe(moved.offset_seconds);
  await sandbox.admin('DELETE', '/messageexchange/admin/reset/X26ABC1');
  expect((await clockOf(sandbox)).offset_seconds).toBe(moved.offset_seconds);
  await sandbox.admin('DELETE', '/messageexchange/admin/reset');
  expect((await clockOf(sandbox)).offset_seconds).toBe(0);
});

it.each([{}, { advance: 'five days' }, { advance: 'P1M' }, { advance: 5 }, { advance: '-P1D' }, { advance: 'P3651D' }])(
  'refuses %j with a reason',
  async (body) => {
    const reply = await sandbox.admin('POST', '/messageexchange/admin/clock', body);
    expect(reply.status).toBe(400);
    expect(jsonOf(reply)).toMatchObject({ detail: [{ loc: ['body', 'advance'] }] });
    expect((await clockOf(sandbox)).offset_seconds).toBe(0);
  },
);

it('does not go further ahead than ten years altogether', async () => {
  await sandbox.advance('P3650D');
  expect((await sandbox.admin('POST', '/admin/clock', { advance: 'PT1S' })).status).toBe(400);
});

it('moves expiry although a process that was killed still holds the lease of the job', async () => {
  const { ledger, machineClock } = sandbox.exchange.rooms;
  await send();
  const nowMs = machineClock.nowMs();
  await ledger.jobs.lease({ name: 'expiry', holder: 'a dead process', nowMs, untilMs: nowMs + 600_000 });
  await sandbox.advance('P5D');
  expect(listedIdsOf(await sandbox.client('X26ABC1').list())).toHaveLength(1);
});
