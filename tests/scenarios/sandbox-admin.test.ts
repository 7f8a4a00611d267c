import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { RunningSandbox } from '../kit/running-sandbox.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

let folder: TemporaryFolder;
let sandbox: RunningSandbox;

beforeAll(async () => {
  folder = await temporaryFolder('admin');
  sandbox = await RunningSandbox.start({ dataFolder: folder.path });
});

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await folder.remove();
});

afterEach(() => sandbox.reset());

const prefixes = ['/messageexchange/admin', '/admin'] as const;
const wanted = { to: 'X26ABC2', workflowId: 'WF1', localId: 'my-ref-1' };

async function sendOne(body = 'hello'): Promise<string> {
  const reply = await sandbox.client('X26ABC1').send(wanted, body, { headers: { 'Mex-Subject': 'my subject' } });
  return sentIdOf(reply);
}

async function inboxOf(mailbox: string): Promise<readonly string[]> {
  return listedIdsOf(await sandbox.client(mailbox).list());
}

describe('reset', () => {
  it.each(prefixes)('empties every mailbox, under %s', async (prefix) => {
    const id = await sendOne();
    const reply = await sandbox.admin('DELETE', `${prefix}/reset`);
    expect(reply.status).toBe(200);
    expect(jsonOf(reply)).toEqual({ message: 'all mailboxes reset' });
    expect(await inboxOf('X26ABC2')).toEqual([]);
    expect((await sandbox.client('X26ABC1').track(id)).status).toBe(404);
  });

  it('of one mailbox leaves what is between others', async () => {
    await sendOne();
    const kept = sentIdOf(await sandbox.client('X26ABC1').send({ to: 'X26ABC3', workflowId: 'WF1' }, 'kept'));
    const reply = await sandbox.admin('DELETE', '/messageexchange/admin/reset/x26abc2?clear_disk=true');
    expect([reply.status, jsonOf(reply)]).toEqual([200, { message: 'mailbox X26ABC2 reset' }]);
    expect(await inboxOf('X26ABC2')).toEqual([]);
    expect(await inboxOf('X26ABC3')).toEqual([kept]);
  });

  it('of a mailbox that does not exist is a 404 that says so', async () => {
    const reply = await sandbox.admin('DELETE', '/admin/reset/NOBODY');
    expect(reply.status).toBe(404);
    expect(reply.body.toString()).toContain('mailbox does not exist');
  });

  it('makes room: what was sent before may be sent again under the same idempotency key', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const first = sentIdOf(await sandbox.client('X26ABC1').send(wanted, 'a', { headers }));
    await sandbox.admin('DELETE', '/admin/reset');
    const second = sentIdOf(await sandbox.client('X26ABC1').send(wanted, 'a', { headers }));
    expect(second).not.toBe(first);
    expect(await inboxOf('X26ABC2')).toEqual([second]);
  });
});

describe('a report by hand', () => {
  const path = '/messageexchange/admin/report';
  const report = { mailbox_id: 'x26abc1', code: '21', description: 'Something else', workflow_id: 'WF1' };

  it('is the non-delivery report unless told otherwise, whatever code and text were given', async () => {
    const body = {
      ...report,
      subject: 'my subject',
      local_id: 'my-ref-1',
      file_name: 'f.txt',
      linked_message_id: 'ABC_1',
    };
    const reply = await sandbox.admin('POST', path, body);
    expect(reply.status).toBe(200);
    const id = (jsonOf(reply) as { message_id: string }).message_id;
    expect(await inboxOf('X26ABC1')).toEqual([id]);
    const { status, headers } = await sandbox.client('X26ABC1').download(id);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-length': '0',
      'mex-messagetype': 'REPORT',
      'mex-subject': 'NDR: my subject',
      'mex-localid': 'my-ref-1',
      'mex-filename': `${id}.dat`,
      'mex-linkedmsgid': 'ABC_1',
      'mex-statuscode': '14',
      'mex-statusevent': 'SEND',
      'mex-statusdescription': 'Message not collected by recipient after 5 days',
      'mex-statussuccess': 'ERROR',
      'mex-total-chunks': '0',
      'mex-to': 'X26ABC1',
    });
    expect(headers).not.toHaveProperty('mex-chunk-range');
    expect(headers).not.toHaveProperty('mex-from');
  });

  it('of status error carries what was given', async () => {
    const body = { ...report, status: 'error', code: 'EPL-153', subject: 'as it was', file_name: 'f.txt' };
    const id = (jsonOf(await sandbox.admin('POST', path, body)) as { message_id: string }).message_id;
    expect((await sandbox.client('X26ABC1').download(id)).headers).toMatchObject({
      'mex-subject': 'as it was',
      'mex-filename': 'f.txt',
      'mex-statuscode': 'EPL-153',
      'mex-statusevent': 'SEND',
      'mex-statusdescription': 'Something else',
    });
  });

  it('cannot smuggle in a header, and keeps text beyond Latin-1 as UTF-8', async () => {
    const body = { ...report, status: 'error', subject: 'a\r\nmex-evil: 1 – b' };
    const id = (jsonOf(await sandbox.admin('POST', path, body)) as { message_id: string }).message_id;
    const { headers } = await sandbox.client('X26ABC1').download(id);
    expect(headers).not.toHaveProperty('mex-evil');
    expect(Buffer.from(headers['mex-subject'] ?? '', 'latin1').toString()).toBe('a  mex-evil: 1 – b');
  });

  it('names everything that is wrong with it, at once', async () => {
    const reply = await sandbox.admin('POST', path, { mailbox_id: '', status: 'lost', subject: 7 });
    expect(reply.status).toBe(400);
    const { detail } = jsonOf(reply) as { detail: { loc: string[]; msg: string }[] };
    expect(detail.map(({ loc }) => loc.join('.'))).toEqual([
      'body.mailbox_id',
      'body.code',
      'body.description',
      'body.workflow_id',
      'body.status',
      'body.subject',
    ]);
    expect(detail.every(({ msg }) => msg.length > 0)).toBe(true);
  });

  it.each([
    ['that is no JSON', '{'],
    ['that is a list', '[]'],
    ['that is empty', ''],
    ['beyond 64 KiB', `"${'x'.repeat(70_000)}"`],
    ['whose members hide in __proto__', JSON.stringify(report).replace('{', '{"__proto__":{').replace('}', '}}')],
  ])('with a body %s is a 400', async (_what, body) => {
    expect((await sandbox.admin('POST', path, body)).status).toBe(400);
  });

  it('for a mailbox that does not exist is a 404', async () => {
    expect((await sandbox.admin('POST', path, { ...report, mailbox_id: 'NOBODY' })).status).toBe(404);
  });

  it('has one address only', async () => {
    expect((await sandbox.admin('POST', '/admin/report', report)).status).toBe(404);
    expect((await sandbox.admin('GET', path)).status).toBe(405);
  });
});

describe('an event by hand', () => {
  it.each(prefixes)('puts an acknowledged message back at the end of the inbox, under %s', async (prefix) => {
    const first = await sendOne();
    await sandbox.client('X26ABC2').acknowledge(first);
    const second = await sendOne();
    const reply = await sandbox.admin('POST', `${prefix}/message/${first}/event`, { status: 'accepted' });
    expect([reply.status, reply.body.length]).toEqual([200, 0]);
    expect(await inboxOf('X26ABC2')).toEqual([second, first]);
    expect((await sandbox.client('X26ABC2').download(first)).body.toString()).toBe('hello');
  });

  it.each(['undeliverable', 'error'])(
    'of status %s withdraws the message, tells its sender why, and makes no report',
    async (status) => {
      const id = await sendOne();
      const event = { status, code: 'EPL-153', event: 'SEND', description: 'NHS Number not found' };
      await sandbox.admin('POST', `/admin/message/${id}/event`, event);
      expect(await inboxOf('X26ABC2')).toEqual([]);
      expect(await inboxOf('X26ABC1')).toEqual([]);
      expect((await sandbox.client('X26ABC2').download(id)).status).toBe(410);
      expect(jsonOf(await sandbox.client('X26ABC1').track(id))).toMatchObject({
        status,
        status_success: false,
        status_code: 'EPL-153',
        status_description: 'NHS Number not found',
      });
    },
  );

  it('leaves a report what it reports', async () => {
    const report = { mailbox_id: 'X26ABC1', code: '1', description: 'x', workflow_id: 'WF1' };
    const reply = await sandbox.admin('POST', '/messageexchange/admin/report', report);
    const id = (jsonOf(reply) as { message_id: string }).message_id;
    await sandbox.client('X26ABC1').acknowledge(id);
    await sandbox.admin('POST', `/admin/message/${id}/event`, { status: 'accepted' });
    expect((await sandbox.client('X26ABC1').download(id)).headers['mex-statuscode']).toBe('14');
  });

  it('must have one of the five statuses', async () => {
    const id = await sendOne();
    expect((await sandbox.admin('POST', `/admin/message/${id}/event`, { status: 'lost' })).status).toBe(400);
    expect((await sandbox.admin('POST', `/admin/message/${id}/event`, {})).status).toBe(400);
  });

  it('on a message that does not exist is a 404', async () => {
    expect((await sandbox.admin('POST', '/admin/message/NO_SUCH/event', { status: 'error' })).status).toBe(404);
  });
});

describe('details', () => {
  it.each([...prefixes, '/messageexchange'])('of a mailbox, under %s', async (prefix) => {
    const reply = await sandbox.admin('GET', `${prefix}/mailbox/X26ABC1`);
    expect(jsonOf(reply)).toEqual({
      mailbox_id: 'X26ABC1',
      mailbox_name: 'TESTMB1',
      billing_entity: 'England',
      ods_code: 'X26',
      org_code: 'X26',
      org_name: '',
      active: true,
    });
    expect((await sandbox.admin('GET', `${prefix}/mailbox/NOBODY`)).status).toBe(404);
  });

  it.each([...prefixes])('of a message, under %s, in either version', async (prefix) => {
    const id = await sendOne();
    for (const accept of [undefined, 'application/vnd.mesh.v2+json']) {
      const reply = await sandbox.admin('GET', `${prefix}/message/${id}`, undefined, accept);
      expect(reply.status).toBe(200);
      expect(reply.headers['content-type']).toBe('application/json');
      expect(jsonOf(reply)).toMatchObject({
        message_id: id,
        message_type: 'Data',
        chunk_count: 1,
        file_size: 5,
        filename: `${id}.dat`,
        local_id: 'my-ref-1',
        subject: 'my subject',
        recipient: 'X26ABC2',
        recipient_name: 'TESTMB2',
        sender: 'X26ABC1',
        status: 'Accepted',
        status_success: 'SUCCESS',
        workflow_id: 'WF1',
      });
    }
    expect((await sandbox.admin('GET', `${prefix}/message/NO_SUCH`)).status).toBe(404);
  });

  it('of no message name an error in the form of the version asked for', async () => {
    const v1 = jsonOf(await sandbox.admin('GET', '/admin/message/NO_SUCH'));
    const v2 = jsonOf(await sandbox.admin('GET', '/admin/message/NO_SUCH', undefined, 'application/vnd.mesh.v2+json'));
    expect(v1).toHaveProperty('errorDescription');
    expect(v2).toHaveProperty('detail');
  });
});

it('has no administration where the configuration has none', async () => {
  await using elsewhere = await temporaryFolder('no-admin');
  await using quiet = await RunningSandbox.start({
    dataFolder: elsewhere.path,
    env: { OPENMESH_ADMIN_ROUTES: 'off' },
  });
  const paths = ['/messageexchange/admin/reset', '/admin/clock', '/admin/faults', '/messageexchange/admin/message/A'];
  for (const path of paths) {
    // The word "admin" is no mailbox, so what has no administration takes it for one that cannot be.
    expect([403, 404]).toContain((await quiet.admin('GET', path)).status);
  }
});
