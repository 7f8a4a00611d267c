import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '@openmesh/sdk/cli/run-command.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testCertificates } from '../../kit/certificates.ts';
import { startPlainService } from '../../kit/plain-service.ts';
import { rawJson, startRawService } from '../../kit/raw-service.ts';
import { ExchangeInProcess, kitSharedKey } from '../../kit/running-exchange.ts';
import { noPause } from '../../kit/sdk-client.ts';
import { seededPassword } from '../../kit/seeded-registry.ts';
import { startTcpProxy } from '../../kit/tcp-proxy.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly json: Record<string, never>;
}

let exchange: ExchangeInProcess;
let folder: TemporaryFolder;
let env: Record<string, string>;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ settings: { OPENMESH_REPORT_ON_FAILED_SEND: 'on' } });
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  folder = await temporaryFolder('mesh');
  const { authorityFile, clients } = await testCertificates();
  for (const [name, text] of [
    ['password', `${seededPassword}\n`],
    ['shared-key', kitSharedKey],
    ['payload', 'Hello, MESH'],
  ] as const) {
    writeFileSync(join(folder.path, name), text);
  }
  env = {
    MESH_URL: exchange.url,
    MESH_MAILBOX: 'X26ABC1',
    MESH_PASSWORD_FILE: join(folder.path, 'password'),
    MESH_SHARED_KEY_FILE: join(folder.path, 'shared-key'),
    MESH_CA_FILE: authorityFile,
    MESH_CERT_FILE: clients.x26.certificateFile,
    MESH_KEY_FILE: clients.x26.keyFile,
  };
});
afterEach(() => folder.remove());

async function* standardInput(): AsyncGenerator<Buffer> {
  yield Buffer.from('from standard input');
}

async function mesh(args: readonly string[], more: Record<string, string> = {}, columns?: number): Promise<Ran> {
  const out: Buffer[] = [];
  let err = '';
  const code = await runCommand(args, {
    env: { ...env, ...more },
    stdin: standardInput(),
    stdout: (text) => void out.push(Buffer.from(text)),
    content: (bytes) => Promise.resolve(void out.push(Buffer.from(bytes))),
    stderr: (text) => {
      err += text;
    },
    columns,
    signal: new AbortController().signal,
    surroundings: { nowMs: exchange.clock.nowMs, wait: noPause },
  });
  const text = Buffer.concat(out).toString('utf8');
  const json = args.includes('--json') && text !== '' ? JSON.parse(text) : {};
  return { code, out: text, err, json };
}

const recipient = { MESH_MAILBOX: 'X26ABC2' };
const to = ['--to', 'X26ABC2', '--workflow', 'WF'];
const file = (name: string): string => join(folder.path, name);

async function send(...more: string[]): Promise<string> {
  const { code, json, err } = await mesh(['send', file('payload'), ...to, '--json', ...more]);
  expect([code, err]).toEqual([0, '']);
  return json['messageId'] ?? '';
}

describe('the command mesh', () => {
  it('sends a file, lists it, gets it into a file named for its id, acknowledges it and tracks it', async () => {
    const id = await send('--local-id', 'mine', '--subject', 'A result', '--file-name', '../../etc/passwd');
    expect((await mesh(['inbox', '--details'], recipient)).out).toContain(`${id}  DATA  X26ABC1  WF  1  A result`);
    const got = await mesh(['get', id.toLowerCase(), '--dir', folder.path, '--ack'], recipient);
    expect(got.code).toBe(0);
    expect(readFileSync(file(`${id}.dat`), 'utf8')).toBe('Hello, MESH');
    expect(readdirSync(folder.path).sort()).toEqual([`${id}.dat`, 'password', 'payload', 'shared-key'].sort());
    expect((await mesh(['track', id])).out).toMatch(/^status: +acknowledged$/m);
    expect((await mesh(['track', '--local-id', 'mine', '--json'])).json).toMatchObject({ messageId: id });
    expect((await mesh(['inbox', '--json'], recipient)).json).toEqual({ messages: [] });
  });

  it('takes the password from no argument, and prints no secret', async () => {
    const { code, err } = await mesh(['inbox', '--password', 'x']);
    expect([code, err]).toEqual([64, expect.stringContaining("Unknown option '--password'")]);
    const wrong = await mesh(['inbox'], { MESH_PASSWORD_FILE: '', MESH_PASSWORD: 'hunter2' });
    expect(wrong.code).toBe(1);
    expect(wrong.out + wrong.err).not.toMatch(new RegExp(`hunter2|${kitSharedKey}`));
  });

  it('sends standard input, prints content, and counts', async () => {
    const sent = await mesh(['send', '-', ...to, '--json']);
    const id = String(sent.json['messageId']);
    expect((await mesh(['get', id, '--out', '-'], recipient)).out).toBe('from standard input');
    expect((await mesh(['inbox', '--count'], recipient)).out).toBe('1\n');
    expect((await mesh(['ack', id], recipient)).out).toBe(`${id} acknowledged\n`);
  });

  it('gets every waiting message, and makes no file for a report', async () => {
    const ids = [await send(), await send()];
    const all = await mesh(['get', '--all', '--ack', '--dir', folder.path, '--json'], recipient);
    expect(all.json).toMatchObject({ messages: ids.map((id) => ({ file: file(`${id}.dat`), acknowledged: true })) });
    expect((await mesh(['inbox', '--count'], recipient)).out).toBe('0\n');
    const refused = await mesh(['send', file('payload'), '--to', 'NOBODY9', '--workflow', 'WF']);
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining('the service says: Unregistered to address'),
    ]);
    const report = await mesh(['get', '--all', '--ack', '--dir', folder.path]);
    expect(report.out).toMatch(/^report: .*\n[^]*^says: +12 Unregistered to address$/m);
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.dat'))).toHaveLength(2);
  });

  it('draws its progress on a terminal and nowhere else', async () => {
    writeFileSync(file('payload'), randomBytes(3 * 1024 * 1024));
    const drawn = await mesh(['send', file('payload'), ...to, '--chunk-mib', '1'], {}, 100);
    expect(drawn.err).toMatch(/\r\[#+\.+\] \d+ % .* of 3\.0 MiB, .*\/s.*left/);
    const silent = await mesh(['send', file('payload'), ...to, '--chunk-mib', '1']);
    expect(silent.err).toBe('');
  });

  it('goes on with an upload from its state file, and removes the file when it is done', async () => {
    const content = randomBytes(3 * 1024 * 1024);
    writeFileSync(file('payload'), content);
    const cut = { kind: 'cut', direction: 'to-server', afterBytes: 2_500_000, how: 'reset' } as const;
    await using proxy = await startTcpProxy({
      target: { host: '127.0.0.1', port: exchange.port },
      faults: (connection) => (connection === 0 ? [cut] : [{ ...cut, afterBytes: 0 }]),
    });
    const large = [...to, '--chunk-mib', '1', '--parallel', '1', '--state', file('state'), '--json'];
    const broken = await mesh(['send', file('payload'), ...large], { MESH_URL: `https://127.0.0.1:${proxy.port}` });
    expect(broken.code).toBe(69);
    expect(JSON.parse(readFileSync(file('state'), 'utf8'))).toMatchObject({ totalChunks: 3, version: 1 });
    const { code, json } = await mesh(['send', file('payload'), ...large]);
    expect([code, existsSync(file('state'))]).toEqual([0, false]);
    await mesh(['get', String(json['messageId']), '--ack', '--out', file('got')], recipient);
    expect(readFileSync(file('got')).equals(content)).toBe(true);
  });

  it('finds mailboxes by workflow, and says by its exit code that there are none', async () => {
    await exchange.change({
      workflows: [{ workflowId: 'LOOKUP' }],
      registrations: [{ workflowId: 'LOOKUP', role: 'responder', mailbox: 'Y99ABC3' }],
    });
    expect(await mesh(['lookup', '--workflow', 'LOOKUP'])).toMatchObject({ code: 0, out: 'Y99ABC3  TESTMB3\n' });
    expect(await mesh(['lookup', '--workflow', 'LOOKUP', '--ods', 'X26', '--json'])).toMatchObject({
      code: 1,
      json: { results: [] },
    });
  });

  it('asks before sending, and says by its exit code that a message would be refused', async () => {
    expect(await mesh(['preflight', '--to', 'X26ABC2', '--workflow', 'WF'])).toMatchObject({
      code: 0,
      out: 'would be accepted, for X26ABC2\n',
    });
    const refused = await mesh(['preflight', '--to', 'X26NOBODY', '--workflow', 'WF', '--bytes', '5']);
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/^would be refused\n {2}12 Unregistered to address\n {2}→ /);
  });

  it('examines the way to the mailbox, step by step', async () => {
    const good = await mesh(['doctor']);
    expect([good.code, good.err]).toEqual([0, '']);
    expect(good.out).toMatch(/^ok {6}mailbox {13}X26ABC1 is active/m);
    const bad = await mesh(['doctor', '--json'], { MESH_MAILBOX: 'X26OFF4' });
    expect(bad).toMatchObject({ code: 1, json: { isHealthy: false } });
  });

  it.each<[string, number, string[], Record<string, string>]>([
    ['a command that does not exist', 64, ['destroy'], {}],
    ['a recipient that is missing', 64, ['send', 'x', '--workflow', 'WF'], {}],
    ['a chunk that is too large', 64, ['send', 'x', ...to, '--chunk-mib', '99'], {}],
    ['a mailbox that is missing', 78, ['inbox'], { MESH_MAILBOX: '' }],
    ['a password file that does not exist', 78, ['inbox'], { MESH_PASSWORD_FILE: '/nowhere/at/all' }],
    ['a certificate without its key', 78, ['inbox'], { MESH_KEY_FILE: '' }],
    ['a file that does not exist', 66, ['send', '/nowhere/at/all', ...to], {}],
    ['a recipient that does not exist', 1, ['track', 'NOSUCHMESSAGE'], {}],
    ['a service that is not there', 69, ['inbox'], { MESH_URL: 'https://127.0.0.1:1' }],
  ])('says %s with status %i, one line of what to do, and JSON when asked', async (_what, code, args, more) => {
    const plain = await mesh(args, more);
    expect(plain).toMatchObject({ code, out: '' });
    expect(plain.err).toMatch(/^mesh: /);
    if (code !== 64 || args[0] !== 'destroy') {
      const json = await mesh([...args, '--json'], more);
      expect(JSON.parse(json.err)).toMatchObject({ error: { message: expect.any(String) } });
    }
  });
});

describe('a listing that ends badly', () => {
  it.each([['inbox'], ['get', '--all', '--ack']])('says first what %s found or did before', async (...args) => {
    const id = '20261127000000000001_ABCDEF';
    const data = `HTTP/1.1 200 OK\r\nmex-messagetype: DATA\r\nmex-chunk-range: 1:1\r\ncontent-length: 4\r\n\r\ndata`;
    await using service = await startRawService(({ head }) => {
      if (!head.startsWith('GET')) return { bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n' };
      const isList = / \S+\/inbox HTTP/.test(head);
      return { bytes: isList ? rawJson(JSON.stringify({ messages: ['a path/..', id] })) : data };
    });
    const where = args[0] === 'get' ? ['--dir', folder.path] : [];
    const { code, out, err } = await mesh([...args, ...where, '--json'], { MESH_URL: service.url });
    expect([code, JSON.parse(err)]).toMatchObject([1, { error: { code: 'unexpected-answer' } }]);
    expect(JSON.parse(out)).toMatchObject({ messages: [expect.any(Object)] });
    expect(out).toContain(id);
  });
});

describe('a send whose answer was lost', () => {
  it('is looked for by the command itself, which says what it found', async () => {
    await using other = await ExchangeInProcess.start({ tls: 'off' });
    const service = await startPlainService(other.port);
    const lost = { kind: 'cut', direction: 'to-client', afterBytes: 300, how: 'reset' } as const;
    // The handshake's answer passes; that of the send, on the same connection, does not.
    await using proxy = await startTcpProxy({
      target: { host: '127.0.0.1', port: service.port },
      faults: (connection) => (connection === 0 ? [lost] : []),
    });
    const url = `http://127.0.0.1:${proxy.port}`;
    const sent = await mesh(['send', file('payload'), ...to, '--json'], { MESH_URL: url });
    await service.close();
    expect(sent).toMatchObject({ code: 0, json: { outcome: 'sent', cause: { code: 'answer-lost' } } });
  });
});
