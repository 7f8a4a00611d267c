import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DroppedMessage, dropMessage } from '../kit/dropped-message.ts';
import { guardLeaks } from '../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { ruleOf } from '../kit/routing-cases.ts';
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
const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

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

  it('shows the copies that a rule makes, of a message sent whole and of one in chunks', async () => {
    await using sandbox = await start();
    const { ledger, registry } = sandbox.exchange.rooms;
    const copied = { id: 'r1', action: 'copy', to: 'X26ABC3', ifRecipient: 'X26ABC2' } as const;
    const audit = { atMs: 0, actor: 'kit', action: 'rule.approve', subject: 'r1', detail: '{}' };
    await ledger.registry.change({ rules: [ruleOf(copied, Date.now())], audit });
    await registry.reload();
    const sender = sandbox.client('X26ABC1');
    await sender.send({ to: 'X26ABC2', workflowId: 'WF1' }, 'x');
    const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF1', chunkRange: '1:2' }, 'one'));
    await sender.sendChunk(id, 2, 2, 'two');
    const copies = await listed(sandbox, 'X26ABC3');
    expect(copies).toHaveLength(2);
    for (const copy of copies) expect(await isThere(join(folder.path, 'X26ABC3', 'in', `${copy}.json`))).toBe(true);
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

const startCanned = (home: string): Promise<RunningSandbox> =>
  RunningSandbox.start({ dataFolder: folder.path, home, env: { STORE_MODE: 'canned' } });

describe('the canned store', () => {
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
