import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
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

interface Fixture {
  readonly id: string;
  readonly mailbox?: string;
  readonly chunks?: readonly (string | Uint8Array)[];
  readonly document?: Readonly<Record<string, unknown>>;
}

async function drop({ id, mailbox = 'X26ABC2', chunks = ['hello'], document = {} }: Fixture): Promise<void> {
  const inbox = join(folder.path, mailbox, 'in');
  await mkdir(join(inbox, id), { recursive: true });
  for (const [index, chunk] of chunks.entries()) await writeFile(join(inbox, id, String(index + 1)), chunk);
  const given = { message_id: id, sender: { mailbox_id: 'X26ABC1' }, workflow_id: 'WF1', total_chunks: chunks.length };
  await writeFile(join(inbox, `${id}.json`), JSON.stringify({ ...given, ...document }));
}

const listed = async (sandbox: RunningSandbox, mailbox: string): Promise<readonly string[]> =>
  listedIdsOf(await sandbox.client(mailbox).list());
const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

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

  it('follow the file: an old password no longer opens the mailbox, and one that comes back does', async () => {
    const list = (password: string): Promise<void> =>
      writeFile(join(folder.path, 'mailboxes.jsonl'), JSON.stringify({ mailbox_id: 'ALICE', password }));
    const opens = async (sandbox: RunningSandbox): Promise<number[]> => {
      const replies = ['one', 'two'].map((password) => sandbox.client('ALICE', { password }).handshake());
      return (await Promise.all(replies)).map(({ status }) => status);
    };
    await list('one');
    await using sandbox = await start();
    expect(await opens(sandbox)).toEqual([200, 403]);
    await list('two');
    await sandbox.reset();
    expect(await opens(sandbox)).toEqual([403, 200]);
    await list('one');
    await sandbox.reset();
    expect(await opens(sandbox)).toEqual([200, 403]);
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
    expect(Buffer.concat(parts.map(({ body }) => gunzipSync(body))).equals(Buffer.from(`one${large}three`))).toBe(true);
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
    const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
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

describe('the mirror', () => {
  it('shows accepted messages in the layout of the file store, and follows them', async () => {
    await using sandbox = await start();
    const body = Buffer.alloc(100_000, 'x');
    const headers = { 'Mex-Subject': 'seen', 'Mex-FileName': 'a.txt' };
    const sent = await sandbox.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, body, { headers });
    const id = sentIdOf(sent);
    const inbox = join(folder.path, 'X26ABC2', 'in');
    expect((await readFile(join(inbox, id, '1'))).equals(body)).toBe(true);
    const document = async () => JSON.parse(await readFile(join(inbox, `${id}.json`), 'utf8')) as object;
    expect(await document()).toMatchObject({
      message_id: id,
      recipient: { mailbox_id: 'X26ABC2', mailbox_name: 'TESTMB2', ods_code: 'X26' },
      sender: { mailbox_id: 'X26ABC1' },
      events: [{ status: 'accepted' }],
      metadata: { subject: 'seen', file_name: 'a.txt', encrypted: false },
      workflow_id: 'WF1',
      message_type: 'DATA',
      total_chunks: 1,
      file_size: 100_000,
    });
    await sandbox.client('X26ABC2').acknowledge(id);
    expect(await document()).toMatchObject({ events: [{ status: 'acknowledged' }, { status: 'accepted' }] });
  });

  it('shows a chunked message when it is whole, and reports', async () => {
    await using sandbox = await start();
    const sender = sandbox.client('X26ABC1');
    const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF1', chunkRange: '1:2' }, 'one'));
    const inbox = join(folder.path, 'X26ABC2', 'in');
    expect(await isThere(join(inbox, `${id}.json`))).toBe(false);
    await sender.sendChunk(id, 2, 2, 'two');
    expect(await readFile(join(inbox, id, '2'), 'utf8')).toBe('two');
    await sandbox.advance('P5D');
    const [report = ''] = await listed(sandbox, 'X26ABC1');
    const text = await readFile(join(folder.path, 'X26ABC1', 'in', `${report}.json`), 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      message_type: 'REPORT',
      events: [{ status: 'accepted' }, { status: 'undeliverable', code: '14', linked_message_id: id }],
    });
  });

  it('is never read back: what was sent goes with a reset, and its files with it', async () => {
    await drop({ id: 'FIXTURE_1' });
    await using sandbox = await start();
    const id = sentIdOf(await sandbox.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, 'x'));
    const inbox = join(folder.path, 'X26ABC2', 'in');
    expect((await readdir(inbox)).sort()).toEqual([id, `${id}.json`, 'FIXTURE_1', 'FIXTURE_1.json'].sort());
    await sandbox.reset();
    expect(await listed(sandbox, 'X26ABC2')).toEqual(['FIXTURE_1']);
    expect((await readdir(inbox)).sort()).toEqual(['FIXTURE_1', 'FIXTURE_1.json']);
  });

  it('never touches what somebody put there', async () => {
    await drop({ id: 'FIXTURE_1' });
    const file = join(folder.path, 'X26ABC2', 'in', 'FIXTURE_1.json');
    const before = await readFile(file, 'utf8');
    await using sandbox = await start();
    await sandbox.client('X26ABC2').acknowledge('FIXTURE_1');
    await sandbox.advance('P31D');
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('forgets messages when the exchange does', async () => {
    await using sandbox = await start();
    const id = sentIdOf(await sandbox.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, 'x'));
    await sandbox.advance('P31D');
    expect(await isThere(join(folder.path, 'X26ABC2', 'in', `${id}.json`))).toBe(false);
  });

  it('is put right at the start when the messages are gone', async () => {
    let id: string;
    {
      await using sandbox = await start();
      id = sentIdOf(await sandbox.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, 'x'));
      await sandbox.exchange.rooms.ledger.messages.reset('all');
    }
    await using again = await start();
    expect(await isThere(join(folder.path, 'X26ABC2', 'in', `${id}.json`))).toBe(false);
    expect(await listed(again, 'X26ABC2')).toEqual([]);
  });
});

describe('the memory store', () => {
  it('takes mailboxes from the folder, no messages, and writes nothing there', async () => {
    await drop({ id: 'FIXTURE_1' });
    await writeFile(join(folder.path, 'mailboxes.jsonl'), '{"mailbox_id":"X26ABC2"}\n{"mailbox_id":"X26ABC1"}\n');
    await using home = await temporaryFolder('home');
    const env = { STORE_MODE: 'memory' };
    await using sandbox = await RunningSandbox.start({ dataFolder: folder.path, home: home.path, env });
    expect(await listed(sandbox, 'X26ABC2')).toEqual([]);
    await sandbox.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF1' }, 'x');
    expect(await listed(sandbox, 'X26ABC2')).toHaveLength(1);
    expect(await readdir(join(folder.path, 'X26ABC2', 'in'))).toHaveLength(2);
  });
});

describe('the canned store', () => {
  const startCanned = (home: string): Promise<RunningSandbox> =>
    RunningSandbox.start({ dataFolder: folder.path, home, env: { STORE_MODE: 'canned' } });

  it('holds the three messages of the official sandbox', async () => {
    await using home = await temporaryFolder('home');
    await using sandbox = await startCanned(home.path);
    expect(await listed(sandbox, 'X26ABC1')).toEqual(['SIMPLE_MESSAGE']);
    expect(await listed(sandbox, 'X26ABC2')).toEqual(['CHUNKED_MESSAGE_GZ']);
    expect((await sandbox.client('X26ABC1').download('SIMPLE_MESSAGE')).body).toHaveLength(662);
    expect((await sandbox.client('X26ABC1').download('UNDELIVERED_MESSAGE')).status).toBe(410);
    const chunks = [1, 2].map((n) => sandbox.client('X26ABC2').downloadChunk('CHUNKED_MESSAGE_GZ', n));
    expect(Buffer.concat((await Promise.all(chunks)).map(({ body }) => body))).toHaveLength(662);
  });

  it('answers what would change it as if it had, and changes nothing', async () => {
    await using home = await temporaryFolder('home');
    await using sandbox = await startCanned(home.path);
    for (const body of ['small', Buffer.alloc(200_000)]) {
      const sent = await sandbox.client('X26ABC2').send({ to: 'X26ABC1', workflowId: 'WF1' }, body);
      expect(sent.status).toBe(202);
      expect((await sandbox.client('X26ABC2').track(sentIdOf(sent))).status).toBe(404);
    }
    const unknown = await sandbox.client('X26ABC2').send({ to: 'NOBODY', workflowId: 'WF1' }, 'x');
    expect(unknown.status).toBe(417);
    expect((await sandbox.client('X26ABC1').acknowledge('SIMPLE_MESSAGE')).status).toBe(200);
    expect((await sandbox.client('X26ABC1').acknowledge('NO_SUCH')).status).toBe(404);
    expect((await sandbox.client('X26ABC1').acknowledge('CHUNKED_MESSAGE_GZ')).status).toBe(403);
    const report = { mailbox_id: 'X26ABC1', code: '1', description: 'x', workflow_id: 'WF1' };
    expect((await sandbox.admin('POST', '/messageexchange/admin/report', report)).status).toBe(200);
    const event = await sandbox.admin('POST', '/admin/message/SIMPLE_MESSAGE/event', { status: 'error' });
    expect(event.status).toBe(200);
    await sandbox.advance('P5D');
    expect(await listed(sandbox, 'X26ABC1')).toEqual(['SIMPLE_MESSAGE']);
    expect(await listed(sandbox, 'X26ABC2')).toEqual(['CHUNKED_MESSAGE_GZ']);
  });

  it('cannot be reset', async () => {
    await using home = await temporaryFolder('home');
    await using sandbox = await startCanned(home.path);
    for (const path of ['/messageexchange/admin/reset', '/admin/reset/X26ABC1']) {
      const reply = await sandbox.admin('DELETE', path);
      expect([reply.status, reply.body.toString()]).toEqual([
        405,
        expect.stringContaining('reset not supported for current store mode'),
      ]);
    }
  });
});
