import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DroppedMessage, dropMessage } from '../kit/dropped-message.ts';
import { guardLeaks } from '../kit/leak-guard.ts';
import { jsonOf, listedIdsOf } from '../kit/mesh-client.ts';
import { RunningSandbox } from '../kit/running-sandbox.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder('store');
});

afterEach(() => folder.remove());

const start = (env: Record<string, string> = {}): Promise<RunningSandbox> =>
  RunningSandbox.start({ dataFolder: folder.path, env });

const drop = (message: DroppedMessage): Promise<void> => dropMessage(folder.path, message);
const listed = async (sandbox: RunningSandbox, mailbox: string): Promise<readonly string[]> =>
  listedIdsOf(await sandbox.client(mailbox).list());

const listAlice = (password: string, at = folder.path): Promise<void> =>
  writeFile(join(at, 'mailboxes.jsonl'), JSON.stringify({ mailbox_id: 'ALICE', password }));

const listWorkflow = (members: object, at = folder.path): Promise<void> =>
  writeFile(join(at, 'workflows.jsonl'), JSON.stringify({ workflow_id: 'W1', ...members }));

async function receiversOf(sandbox: RunningSandbox, workflow: string): Promise<readonly string[]> {
  const found = jsonOf(await sandbox.admin('GET', `/messageexchange/workflowsearch/${workflow}`));
  return (found as { results: { mailbox_id: string }[] }).results.map(({ mailbox_id }) => mailbox_id);
}

async function statusesOfAlice(sandbox: RunningSandbox): Promise<number[]> {
  const replies = ['one', 'two'].map((password) => sandbox.client('ALICE', { password }).handshake());
  return (await Promise.all(replies)).map(({ status }) => status);
}

describe('mailboxes and workflows', () => {
  it('are those of the official sandbox when the folder lists none', async () => {
    await using sandbox = await start();
    for (const id of ['X26ABC1', 'X26ABC2', 'X26ABC3']) {
      expect((await sandbox.client(id).handshake()).status).toBe(200);
    }
    const found = await sandbox.admin('GET', '/messageexchange/workflowsearch/TEST_WORKFLOW_ACK');
    expect(jsonOf(found)).toEqual({
      results: [
        { mailbox_id: 'X26ABC1', mailbox_name: 'TESTMB1' },
        { mailbox_id: 'X26ABC3', mailbox_name: 'TESTMB3' },
      ],
    });
  });

  it('are those of the folder when it lists them, and only those', async () => {
    const line = { mailbox_id: 'ALICE', mailbox_name: 'Alice', ods_code: 'A1', org_code: 'A1', password: 'pwd123456' };
    const closed = { mailbox_id: 'BOB', ods_code: 'B1', org_code: 'B1', active: false };
    await writeFile(join(folder.path, 'mailboxes.jsonl'), `${JSON.stringify(line)}\n${JSON.stringify(closed)}\n`);
    await using sandbox = await start();
    expect((await sandbox.client('ALICE', { password: 'pwd123456' }).handshake()).status).toBe(200);
    expect((await sandbox.client('BOB').handshake()).body.toString()).toContain('Inactive Mailbox');
    expect((await sandbox.client('X26ABC1').handshake()).body.toString()).toContain('No mailbox matched');
  });

  it('are those of the folder of fixtures where the data folder lists none, read again at each reset', async () => {
    await using fixtures = await temporaryFolder('fixtures');
    await listAlice('one', fixtures.path);
    await using sandbox = await start({ OPENMESH_SANDBOX_FIXTURES: fixtures.path });
    expect(await statusesOfAlice(sandbox)).toEqual([200, 403]);
    expect((await sandbox.client('X26ABC1').handshake()).body.toString()).toContain('No mailbox matched');
    expect(await receiversOf(sandbox, 'TEST_WORKFLOW')).toEqual([]);
    await listAlice('two', fixtures.path);
    await listWorkflow({ receivers: ['ALICE'] }, fixtures.path);
    await sandbox.reset();
    expect(await statusesOfAlice(sandbox)).toEqual([403, 200]);
    expect(await receiversOf(sandbox, 'W1')).toEqual(['ALICE']);
    await listAlice('one');
    await sandbox.reset();
    expect(await statusesOfAlice(sandbox)).toEqual([200, 403]);
  });

  it('may be listed alone, the workflows without the mailboxes, in either folder', async () => {
    await using fixtures = await temporaryFolder('fixtures');
    await listWorkflow({ receivers: ['X26ABC2'] }, fixtures.path);
    const env = { OPENMESH_SANDBOX_FIXTURES: fixtures.path, STORE_MODE: 'memory' };
    await using sandbox = await start(env);
    expect((await sandbox.client('X26ABC1').handshake()).status).toBe(200);
    expect(await receiversOf(sandbox, 'W1')).toEqual(['X26ABC2']);
    expect(await receiversOf(sandbox, 'TEST_WORKFLOW')).toEqual([]);
    await listWorkflow({ receivers: ['X26ABC3'] });
    await sandbox.reset();
    expect(await receiversOf(sandbox, 'W1')).toEqual(['X26ABC3']);
  });

  it('refuse the start where the folder of fixtures that is named is none', async () => {
    const env = { OPENMESH_SANDBOX_FIXTURES: join(folder.path, 'nowhere') };
    await expect(start(env)).rejects.toThrow(/OPENMESH_SANDBOX_FIXTURES: .*nowhere is no folder/);
  });

  it('may name mailboxes in a workflow that nobody lists: they are passed over', async () => {
    await listAlice('one');
    await listWorkflow({ senders: ['NOBODY1', 'ALICE'], receivers: ['NOBODY2', 'ALICE', 'CAROL'] });
    await mkdir(join(folder.path, 'CAROL'));
    await using sandbox = await start();
    expect(await receiversOf(sandbox, 'W1')).toEqual(['ALICE', 'CAROL']);
  });

  it('follow the file: an old password no longer opens the mailbox, and one that comes back does', async () => {
    await listAlice('one');
    await using sandbox = await start();
    expect(await statusesOfAlice(sandbox)).toEqual([200, 403]);
    await listAlice('two');
    await sandbox.reset();
    expect(await statusesOfAlice(sandbox)).toEqual([403, 200]);
    await listAlice('one');
    await sandbox.reset();
    expect(await statusesOfAlice(sandbox)).toEqual([200, 403]);
  });

  it('are made for the folder of an unlisted mailbox, if its name is in upper case', async () => {
    await mkdir(join(folder.path, 'CAROL', 'in'), { recursive: true });
    await mkdir(join(folder.path, 'dave', 'in'), { recursive: true });
    await using sandbox = await start();
    expect(jsonOf(await sandbox.admin('GET', '/admin/mailbox/CAROL'))).toMatchObject({ mailbox_name: 'Unknown' });
    expect((await sandbox.client('CAROL').handshake()).status).toBe(200);
    expect((await sandbox.admin('GET', '/admin/mailbox/DAVE')).status).toBe(404);
  });

  it('that cannot be read refuse the start, naming file, line and member but no value', async () => {
    await writeFile(join(folder.path, 'mailboxes.jsonl'), '{"mailbox_id":"ALICE","password":{"s3cret":1}}\n');
    await expect(start()).rejects.toThrow('mailboxes.jsonl line 1: password must be a text');
  });
});

const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

describe('messages in the folder', () => {
  it('are in the inbox after the start, with their headers and bytes, once each over restarts', async () => {
    const metadata = { subject: 'from a file', local_id: 'l1', file_name: 'a.txt', content_type: 'text/plain' };
    await drop({ id: '0BAADD60305C43BAB4C7C8B0675D6410', document: { metadata } });
    for (let round = 0; round < 2; round += 1) {
      await using sandbox = await start();
      expect(await listed(sandbox, 'X26ABC2')).toEqual(['0BAADD60305C43BAB4C7C8B0675D6410']);
      const reply = await sandbox.client('X26ABC2').download('0BAADD60305C43BAB4C7C8B0675D6410');
      expect(reply.body.toString()).toBe('hello');
      expect(reply.headers).toMatchObject({
        'mex-from': 'X26ABC1',
        'mex-subject': 'from a file',
        'mex-filename': 'a.txt',
        'mex-content-type': 'text/plain',
      });
      const tracked = await sandbox.client('X26ABC1').track('0BAADD60305C43BAB4C7C8B0675D6410');
      expect(jsonOf(tracked)).toMatchObject({ status: 'accepted', local_id: 'l1' });
    }
  });

  it('that was acknowledged stays so over a restart, and comes back with a reset', async () => {
    await drop({ id: 'FIXTURE_1' });
    {
      await using sandbox = await start();
      await sandbox.client('X26ABC2').acknowledge('FIXTURE_1');
    }
    await using sandbox = await start();
    expect(await listed(sandbox, 'X26ABC2')).toEqual([]);
    await sandbox.reset();
    expect(await listed(sandbox, 'X26ABC2')).toEqual(['FIXTURE_1']);
  });

  it('that is dropped while the sandbox runs comes with a reset, of all or of its mailbox', async () => {
    await using sandbox = await start();
    await drop({ id: 'LATER_1' });
    await drop({ id: 'LATER_2', mailbox: 'X26ABC3' });
    await sandbox.admin('DELETE', '/messageexchange/admin/reset/X26ABC2');
    expect([await listed(sandbox, 'X26ABC2'), await listed(sandbox, 'X26ABC3')]).toEqual([['LATER_1'], []]);
    await sandbox.reset();
    expect([await listed(sandbox, 'X26ABC2'), await listed(sandbox, 'X26ABC3')]).toEqual([['LATER_1'], ['LATER_2']]);
  });

  it('of several chunks, small and large, compressed too, come back byte for byte', async () => {
    const large = Buffer.alloc(3_000_000, 'large ');
    await drop({
      id: 'CHUNKS_1',
      chunks: [gzipSync('one'), gzipSync(large), gzipSync('three')],
      document: { metadata: { content_encoding: 'gzip' } },
    });
    await drop({ id: 'LARGE_1', chunks: [large] });
    await using sandbox = await start();
    expect(await listed(sandbox, 'X26ABC2')).toEqual(['CHUNKS_1', 'LARGE_1']);
    const client = sandbox.client('X26ABC2');
    const options = { headers: { 'Accept-Encoding': 'gzip' } };
    const parts = await Promise.all([1, 2, 3].map((n) => client.downloadChunk('CHUNKS_1', n, options)));
    expect(parts.map(({ status }) => status)).toEqual([206, 206, 200]);
    expect(
      Buffer.concat(parts.map(({ body }) => gunzipSync(body))).equals(Buffer.from(`one${large.toString()}three`)),
    ).toBe(true);
    expect((await client.download('LARGE_1')).body.equals(large)).toBe(true);
  });

  it('stand where their newest event says', async () => {
    const at = new Date(Date.now() - 60_000).toISOString().slice(0, 23);
    const events = (status: string) => [
      { status, code: '14', event: 'SEND', description: 'gone', timestamp: at, linked_message_id: 'ORIGINAL_1' },
      { status: 'accepted' },
    ];
    await drop({ id: 'ACKED', document: { events: [{ status: 'acknowledged', timestamp: at }] } });
    await drop({ id: 'FAILED', document: { events: events('undeliverable') } });
    await drop({ id: 'UPLOADING', document: { events: [{ status: 'uploading' }] } });
    await drop({
      id: 'REPORTED',
      chunks: [],
      document: { message_type: 'REPORT', sender: null, events: events('error').toReversed() },
    });
    await using sandbox = await start();
    expect(await listed(sandbox, 'X26ABC2')).toEqual(['REPORTED']);
    expect((await sandbox.client('X26ABC2').download('REPORTED')).headers).toMatchObject({
      'mex-messagetype': 'REPORT',
      'mex-statuscode': '14',
      'mex-statusdescription': 'gone',
      'mex-linkedmsgid': 'ORIGINAL_1',
    });
    const sender = sandbox.client('X26ABC1');
    expect(jsonOf(await sender.track('ACKED'))).toMatchObject({ status: 'acknowledged' });
    expect(jsonOf(await sender.track('FAILED'))).toMatchObject({ status: 'undeliverable', status_code: '14' });
    expect((await sender.track('UPLOADING')).status).toBe(404);
  });

  it('older than MESSAGE_EXPIRY_DAYS are left out, and younger ones expire by their own dates', async () => {
    await drop({ id: 'OLD', document: { created_timestamp: ago(8) } });
    await drop({ id: 'YOUNG', document: { created_timestamp: ago(4) } });
    await using sandbox = await start({ MESSAGE_EXPIRY_DAYS: '7' });
    expect(await listed(sandbox, 'X26ABC2')).toEqual(['YOUNG']);
    await sandbox.advance('P1D');
    expect(await listed(sandbox, 'X26ABC2')).toEqual([]);
    expect(await listed(sandbox, 'X26ABC1')).toHaveLength(1);
  });

  it.each([
    ['a file that is no JSON', 'X26ABC2/in/BAD.json: is not JSON', '{', undefined],
    ['a sender that is none', 'sender must be a mailbox', { sender: { mailbox_id: 's3cret !' } }, undefined],
    ['a recipient elsewhere', 'recipient is not the mailbox', { recipient: { mailbox_id: 'X26ABC1' } }, undefined],
    ['a missing chunk', 'X26ABC2/in/BAD/1: cannot be read (ENOENT)', {}, 'missing'],
    ['an empty chunk', 'X26ABC2/in/BAD.json: chunk 1 is empty', {}, 'empty'],
  ])('with %s refuse a reset with a 400 that says where, and a start', async (_what, text, document, chunk) => {
    await using sandbox = await start();
    await drop({
      id: 'BAD',
      document: typeof document === 'string' ? {} : document,
      chunks: chunk === 'empty' ? [''] : ['x'],
    });
    const inbox = join(folder.path, 'X26ABC2', 'in');
    if (typeof document === 'string') await writeFile(join(inbox, 'BAD.json'), document);
    if (chunk === 'missing') await rm(join(inbox, 'BAD', '1'));
    const reply = await sandbox.admin('DELETE', '/messageexchange/admin/reset');
    expect([reply.status, reply.body.toString()]).toEqual([400, expect.stringContaining(text)]);
    expect(reply.body.toString()).not.toContain('s3cret');
    await using elsewhere = await temporaryFolder('home');
    await expect(RunningSandbox.start({ dataFolder: folder.path, home: elsewhere.path })).rejects.toThrow(text);
  });
});
