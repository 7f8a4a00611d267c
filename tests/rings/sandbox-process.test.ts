import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, MeshClient } from '../kit/mesh-client.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let folder: TemporaryFolder;
const started: SandboxProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder('sandbox');
});

afterEach(async () => {
  for (const sandbox of started.splice(0)) await sandbox.stop();
  await folder.remove();
});

/** `npm start` as a person types it, or the program itself. */
class SandboxProcess {
  stdout = '';
  stderr = '';
  #ended = false;
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;

  constructor(command: readonly [string, ...string[]], env: Readonly<Record<string, string>>) {
    const [program, ...args] = command;
    const inherited = Object.entries(process.env).filter(([name]) => !/^(OPENMESH_|NODE_|VITEST|npm_)/.test(name));
    const surroundings = { ...Object.fromEntries(inherited), MAILBOXES_DATA_DIR: folder.path, PORT: '0', ...env };
    // A group of its own, so that a signal reaches all of it as Ctrl-C does.
    const child = spawn(program, args, {
      cwd: repository,
      env: surroundings,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (this.stdout += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (this.stderr += piece));
    this.#child = child;
    this.exited = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#ended = true;
        resolve(code);
      });
    });
    started.push(this);
  }

  /** Resolves to what was printed once the last line of it has come. */
  async ready(): Promise<string> {
    await Promise.race([
      expect.poll(() => this.stdout, { timeout: 90_000 }).toMatch(/Stop: Ctrl-C|"calls":/),
      this.exited.then((code) => Promise.reject(new Error(`ended with ${code}: ${this.stderr}`))),
    ]);
    return this.stdout;
  }

  get url(): string {
    return /ready (https?:\/\/\S+)/.exec(this.stdout)?.[1] ?? '';
  }

  signal(name: NodeJS.Signals, whole = true): void {
    const { pid } = this.#child;
    if (pid !== undefined && !this.#ended) process.kill(whole ? -pid : pid, name);
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.exited;
  }
}

const npmStart = (...args: string[]): readonly [string, ...string[]] => [
  'npm',
  'start',
  '--silent',
  ...(args.length > 0 ? ['--', ...args] : []),
];
const program = (...args: string[]): readonly [string, ...string[]] => [
  process.execPath,
  'packages/sandbox/src/main.ts',
  ...args,
];

/** The lines to paste, exactly as printed: from the function to the last call. */
function printedLines(printed: string): string {
  const start = printed.indexOf('token()');
  return printed.slice(start, printed.indexOf('\nMetrics and readiness', start));
}

/** Pastes into a bash that has next to nothing but curl and openssl. */
async function paste(lines: string): Promise<string> {
  const script = `set -e\n${lines.replaceAll(/^(curl.*)$/gm, '$1; echo')}`;
  const { stdout } = await run('bash', ['--norc', '-c', script], { env: { PATH: '/usr/bin:/bin' }, cwd: tmpdir() });
  return stdout;
}

describe('npm start', () => {
  it('prints calls that work as printed, and stops in good order', async () => {
    const sandbox = new SandboxProcess(npmStart(), {});
    const printed = await sandbox.ready();
    expect(printed).toMatch(/X26ABC1 +password +TESTMB1, X26\n/);
    const [sent = '', listed = '', downloaded] = (await paste(printedLines(printed))).trim().split('\n');
    const { messageID } = JSON.parse(sent) as { messageID: string };
    expect(JSON.parse(listed)).toEqual({ messages: [messageID] });
    expect(downloaded).toBe('Hello, MESH');
    const [, refusals = 'false'] = /: (OPENMESH_PROFILE=.*openmesh-exchange refusals)$/m.exec(printed) ?? [];
    const asked = `${refusals}; ${refusals.replace(/refusals$/, `message show ${messageID}`)}`;
    const { stdout: told } = await run('bash', ['-c', `set -e; ${asked}`], { cwd: repository });
    expect(told).toMatch(/^time +reason +mailbox/);
    expect(told).toMatch(/^where: in the inbox of X26ABC2 since /m);
    sandbox.signal('SIGINT');
    await sandbox.exited;
    expect(sandbox.stderr).toContain('"event":"ended"');
  });

  it('ends with the npm that started it, although npm passes no signal on', async () => {
    const sandbox = new SandboxProcess(npmStart(), {});
    await sandbox.ready();
    sandbox.signal('SIGTERM', false);
    await sandbox.exited;
    expect(sandbox.stderr).toContain('"event":"ended"');
  });

  it('is the true MESH with --true: the printed calls pass over mutual TLS with fresh tokens', async () => {
    const sandbox = new SandboxProcess(npmStart('--true'), {});
    const printed = await sandbox.ready();
    for (let round = 0; round < 2; round += 1) {
      expect((await paste(printedLines(printed))).trim().split('\n')).toHaveLength(3);
    }
    expect(sandbox.url).toMatch(/^https:/);
  });
});

describe('the true rules', () => {
  it('ask for a certificate and a fresh token, in time, and keep administration and clock', async () => {
    const sandbox = new SandboxProcess(program('--true', '--json'), { AUTH_MODE: 'none' });
    const announced = JSON.parse(await sandbox.ready()) as {
      url: string;
      authorityFile: string;
      clients: { certificateFile: string; keyFile: string }[];
    };
    const ca = await readFile(announced.authorityFile, 'utf8');
    const [{ certificateFile, keyFile } = { certificateFile: '', keyFile: '' }] = announced.clients;
    const tls = { ca, cert: await readFile(certificateFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
    const options = { url: announced.url, password: 'password', sharedKey: 'TestKey' };
    const stranger = new MeshClient({ ...options, mailboxId: 'X26ABC1', tls: { ca } });
    await expect(stranger.handshake()).rejects.toThrow();
    stranger.close();
    const sender = new MeshClient({ ...options, mailboxId: 'X26ABC1', tls });
    const authorization = sender.authorization();
    const to = { to: 'X26ABC2', workflowId: 'WF1' };
    expect((await sender.send(to, 'hello', { authorization })).status).toBe(202);
    expect((await sender.send(to, 'hello', { authorization })).status).toBe(403);
    const stale = sender.authorization({ timestamp: '202001010000' });
    expect((await sender.count({ authorization: stale })).status).toBe(403);
    const recipient = new MeshClient({ ...options, mailboxId: 'X26ABC2', tls });
    const [id = ''] = listedIdsOf(await recipient.list());
    await recipient.acknowledge(id);
    expect((await recipient.download(id)).status).toBe(410);
    const moved = await sender.requestAt('POST', '/messageexchange/admin/clock', {
      authorization: null,
      body: '{"advance":"P5D"}',
    });
    expect(jsonOf(moved)).toMatchObject({ offset_seconds: 432_000 });
    sender.close();
    recipient.close();
  });
});

describe('a second start in the same folder', () => {
  it('keeps the messages after a kill, with the certificate callers have come to trust', async () => {
    const first = new SandboxProcess(program(), {});
    const lines = printedLines(await first.ready());
    const [sent = ''] = (await paste(lines)).split('\n');
    const authority = await readFile(join(folder.path, '.openmesh/tls/ca.pem'), 'utf8');
    first.signal('SIGKILL');
    await first.exited;
    const second = new SandboxProcess(program(), {});
    const again = printedLines(await second.ready());
    const withoutSend = again.replace(/# send\n.*\n/, '');
    const { messageID } = JSON.parse(sent) as { messageID: string };
    expect(await paste(withoutSend)).toContain(messageID);
    expect(await readFile(join(folder.path, '.openmesh/tls/ca.pem'), 'utf8')).toBe(authority);
  });
});

describe('the memory store', () => {
  it('leaves nothing behind, neither in the data folder nor in the temporary one', async () => {
    await using temporary = await temporaryFolder('tmp');
    const sandbox = new SandboxProcess(program('--memory'), { TMPDIR: temporary.path });
    await paste(printedLines(await sandbox.ready()));
    expect(await readdir(temporary.path)).toHaveLength(1);
    expect(await sandbox.stop()).toBe(0);
    expect(await readdir(temporary.path)).toEqual([]);
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('without TLS', () => {
  it('speaks plain HTTP, and the printed calls know it', async () => {
    const sandbox = new SandboxProcess(program(), { SSL: 'no', SSL_CRTFILE: '/none.pem', SSL_KEYFILE: '/none.key' });
    expect((await paste(printedLines(await sandbox.ready()))).trim().split('\n')).toHaveLength(3);
    expect(sandbox.url).toMatch(/^http:/);
    await expect(access(join(folder.path, '.openmesh/tls'))).rejects.toThrow();
  });

  it('lets passwords hold anything', async () => {
    const password = `it's "a" $HOME \`pw\` \\`;
    const lines = ['A1', 'B2'].map((id) => JSON.stringify({ mailbox_id: id, ods_code: 'A', password })).join('\n');
    await writeFile(join(folder.path, 'mailboxes.jsonl'), lines);
    const sandbox = new SandboxProcess(program(), { SSL: 'no', SHARED_KEY: `key's $1` });
    expect(await paste(printedLines(await sandbox.ready()))).toContain('Hello, MESH');
  });
});

describe('a certificate that is given', () => {
  it('is the one that is shown', async () => {
    const files = { crt: join(folder.path, 'own.pem'), key: join(folder.path, 'own-key.pem') };
    const subject = ['-subj', '/CN=own-sandbox', '-addext', 'subjectAltName=DNS:localhost'];
    const asked = 'req -x509 -newkey rsa:2048 -nodes -keyout'.split(' ');
    await run('openssl', [...asked, files.key, '-out', files.crt, ...subject]);
    const sandbox = new SandboxProcess(program(), { SSL_CRTFILE: files.crt, SSL_KEYFILE: files.key });
    await sandbox.ready();
    const shown = Promise.withResolvers<string>();
    const asking = request(`${sandbox.url}/health`, { ca: await readFile(files.crt), agent: false }, (response) => {
      const { subject: peer } = (
        response.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }
      ).getPeerCertificate();
      shown.resolve(peer.CN);
      response.resume();
    });
    asking.on('error', shown.reject).end();
    expect(await shown.promise).toBe('own-sandbox');
  });
});

const certificatesOf = (file: string) => ({ OPENMESH_TLS_CERTIFICATE_FILE: file, OPENMESH_TLS_KEY_FILE: file });

describe('what cannot work', () => {
  it.each([
    [['--nonsense'], {}, 64, '--nonsense'],
    [['--port', 'x'], {}, 64, '--port wants a number'],
    [[], { STORE_MODE: 'cloud' }, 78, 'STORE_MODE must be file, memory or canned'],
    [[], { PORT: 'eighty' }, 78, 'PORT must be'],
    [[], { OPENMESH_NO_SUCH: '1' }, 78, 'OPENMESH_NO_SUCH is not a setting'],
    [[], { OPENMESH_PROFILE: 'live' }, 78, 'openmesh-exchange serve'],
    [[], { MAILBOXES_DATA_DIR: fileURLToPath(import.meta.url) }, 78, 'cannot be written'],
    [[], { ...certificatesOf(fileURLToPath(import.meta.url)) }, 1, 'it could not start: '],
  ])('%j with %j is said in a sentence', async (args, env, code, text) => {
    const sandbox = new SandboxProcess(program(...args), env);
    expect(await sandbox.exited).toBe(code);
    expect(sandbox.stderr).toContain(text);
    expect(sandbox.stderr).not.toMatch(/^ +at /m);
  });

  it('a port that is taken is said in a sentence', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const sandbox = new SandboxProcess(program('--port', String(port)), {});
    expect(await sandbox.exited).toBe(1);
    expect(sandbox.stderr).toContain(`port ${port} is in use: choose another with --port.`);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('a fixture that is not good is named', async () => {
    await writeFile(join(folder.path, 'mailboxes.jsonl'), '{"mailbox_id":7}\n');
    const sandbox = new SandboxProcess(program(), {});
    expect(await sandbox.exited).toBe(78);
    expect(sandbox.stderr).toContain('mailboxes.jsonl line 1: mailbox_id must be a mailbox id');
  });

  it('--help says what there is', async () => {
    const sandbox = new SandboxProcess(program('--help'), {});
    expect(await sandbox.exited).toBe(0);
    expect(sandbox.stdout).toContain('usage: openmesh-sandbox');
  });
});
