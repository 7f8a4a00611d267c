import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testCertificates } from '../../kit/certificates.ts';
import { runCommand } from '../../kit/command-process.ts';
import { ExchangeFolder } from '../../kit/exchange-folder.ts';
import { ExchangeProcess, NotReady } from '../../kit/exchange-process.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

type Env = Readonly<Record<string, string>>;

let home: TemporaryFolder;
let folder: ExchangeFolder;
beforeEach(async () => {
  home = await temporaryFolder('starting');
  folder = new ExchangeFolder(home.path);
  mkdirSync(folder.data);
});
afterEach(() => home.remove());

/** How a start ends that must not succeed. */
async function refusedStart(env: Readonly<Record<string, string>>): Promise<NotReady> {
  try {
    const started = await ExchangeProcess.start({ env });
    await started.kill9();
  } catch (error) {
    if (error instanceof NotReady) return error;
    throw error;
  }
  throw new Error('the exchange started');
}

/** The sentence on standard error, behind the lines of the log. */
function said({ output }: NotReady): readonly string[] {
  return output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
}

/** A ledger as the exchange makes it, changed by one statement. */
function makeLedger(statement: string): void {
  folder.addMailboxes(['READER']);
  const ledger = new DatabaseSync(join(folder.data, 'ledger.sqlite'));
  ledger.exec(statement);
  ledger.close();
}

/** A key file of these keys, each named by its first byte. */
function keyFileOf(...bytes: readonly string[]): string {
  const file = join(home.path, `key-${bytes.join('-')}`);
  writeFileSync(file, bytes.map((byte) => `${byte.repeat(32)}\n`).join(''), { mode: 0o600 });
  return file;
}

describe('a ledger in a file', () => {
  it('is served by one process at a time, while commands work on it, and by the next however the first ended', async () => {
    const first = await ExchangeProcess.start({ env: folder.env });
    try {
      const second = await refusedStart(folder.env);
      expect(second.end).toEqual({ code: 1, signal: null });
      expect(said(second)).toEqual([expect.stringContaining('another exchange serves this ledger')]);
      folder.addMailboxes(['READER']);
    } finally {
      await first.kill9();
    }
    const next = await first.restart();
    expect(await next.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('what keeps an exchange from starting', () => {
  it.each([
    [
      'a port that another has',
      /^serve: it could not start: port \d+ of 127\.0\.0\.1 is in use/,
      'OPENMESH_MACHINES_PORT',
    ],
    ['a ledger that is none', /^serve: it could not start: file is not a database/, 'OPENMESH_LEDGER'],
    ['a ledger that cannot be made', /^serve: it could not start: E[A-Z]+: /, 'OPENMESH_LEDGER'],
    ['bodies that cannot be kept', /^serve: it could not start: the disk failed .*OPENMESH_BODIES/, 'OPENMESH_BODIES'],
    [
      'bodies in a plain file',
      /^serve: it could not start: the disk failed .*ENOTDIR.*OPENMESH_BODIES/,
      'OPENMESH_BODIES',
    ],
  ])('is said in a sentence that says what to look at: %s', async (what, sentence, setting) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const file = join(home.path, 'file');
    writeFileSync(file, 'neither a folder nor a ledger\n'.repeat(100));
    const values: Readonly<Record<string, string>> = {
      'a port that another has': String((other.address() as AddressInfo).port),
      'a ledger that is none': `sqlite:${file}`,
      'a ledger that cannot be made': `sqlite:${file}/ledger.sqlite`,
      'bodies that cannot be kept': `file:${file}/bodies`,
      'bodies in a plain file': `file:${file}`,
    };
    try {
      const outcome = await refusedStart({ ...folder.env, [setting]: values[what] ?? '' });
      expect(outcome.end).toEqual({ code: 1, signal: null });
      expect(said(outcome)).toEqual([expect.stringMatching(sentence)]);
    } finally {
      other.close();
    }
  });
});

describe('what whoever set it up can mend', () => {
  /** Settings with which it may not start, and what the sentence says of each. */
  const mistakes: Readonly<Record<string, readonly [prepare: () => Env, says: RegExp]>> = {
    'a ledger of a later version': [
      () => {
        makeLedger('pragma user_version = 1000');
        return {};
      },
      /schema 1000.*start the version that served it last/,
    ],
    'a ledger of the other profile': [
      () => {
        makeLedger("update meta set value = 'sandbox' where key = 'profile'");
        return {};
      },
      /made by the sandbox profile.*OPENMESH_PROFILE/,
    ],
    'no shared key in the ledger': [
      () => ({ OPENMESH_SHARED_KEY_PLACE: 'ledger' }),
      /"openmesh-exchange shared-key add"/,
    ],
    'the key file of another ledger': [
      () => {
        folder.addMailboxes(['READER']);
        return { OPENMESH_SECRET_KEY_FILE: keyFileOf('a1') };
      },
      /OPENMESH_SECRET_KEY_FILE \S*key-a1 is not the key file of this ledger.*"openmesh-exchange keys list"/,
    ],
    'the key file of another ledger, where the shared key is kept too': [
      () => {
        folder.command('shared-key', 'add');
        return { OPENMESH_SHARED_KEY_PLACE: 'ledger', OPENMESH_SECRET_KEY_FILE: keyFileOf('a1', 'b2') };
      },
      /OPENMESH_SECRET_KEY_FILE \S*key-a1-b2 is not the key file of this ledger/,
    ],
  };

  it.each(Object.entries(mistakes))('is said in one sentence without a stack: %s', async (_what, [prepare, says]) => {
    const { OPENMESH_SHARED_KEY: sharedKey = '', ...env } = folder.env;
    const changes = prepare();
    const inLedger = changes['OPENMESH_SHARED_KEY_PLACE'] === 'ledger';
    const outcome = await refusedStart({ ...env, ...(!inLedger && { OPENMESH_SHARED_KEY: sharedKey }), ...changes });
    expect(outcome.end).toEqual({ code: 1, signal: null });
    expect(said(outcome)).toEqual([expect.stringMatching(/^serve: it could not start: /)]);
    expect(said(outcome)).toEqual([expect.stringMatching(says)]);
  });

  const certificates: Readonly<Record<string, readonly [file: string, content: string, says: RegExp]>> = {
    'an empty certificate': ['OPENMESH_TLS_CERTIFICATE_FILE', '', /holds no certificate/],
    'a certificate that was cut off': ['OPENMESH_TLS_CERTIFICATE_FILE', 'half', /holds no certificate/],
    'the key of another certificate': ['OPENMESH_TLS_KEY_FILE', 'other key', /is not the key of the certificate/],
    'an expired certificate': ['OPENMESH_TLS_CERTIFICATE_FILE', 'expired', /expired at/],
    'authorities that are none': ['OPENMESH_TLS_CA_FILE', 'noise', /holds no certificate/],
    'a certificate that is no authority': ['OPENMESH_TLS_CA_FILE', 'leaf', /not an authority/],
    'a revocation list that is none': ['OPENMESH_TLS_CRL_FILE', 'noise', /holds no revocation list/],
  };

  it.each(Object.entries(certificates))(
    'is said in one sentence, and by check-config beforehand: %s',
    async (_what, [setting, content, says]) => {
      const { server, authorityFile, clients } = await testCertificates();
      const texts: Readonly<Record<string, string>> = {
        half: server.cert.slice(0, server.cert.length / 2),
        'other key': clients.x26.key,
        expired: clients.expired.cert,
        noise: 'neither of them\n'.repeat(100),
        leaf: clients.x26.cert,
      };
      const file = join(home.path, 'broken.pem');
      writeFileSync(file, texts[content] ?? '', { mode: 0o600 });
      const good = {
        ...folder.env,
        OPENMESH_TLS: 'mutual',
        OPENMESH_TLS_CERTIFICATE_FILE: server.certificateFile,
        OPENMESH_TLS_KEY_FILE: server.keyFile,
        OPENMESH_TLS_CA_FILE: authorityFile,
      };
      const key = content === 'expired' ? { OPENMESH_TLS_KEY_FILE: clients.expired.keyFile } : {};
      const env = { ...good, ...key, [setting]: file };
      const outcome = await refusedStart(env);
      expect(outcome.end).toEqual({ code: 1, signal: null });
      expect(said(outcome)).toEqual([expect.stringMatching(/^serve: it could not start: .*OPENMESH_TLS_/)]);
      expect(said(outcome)).toEqual([expect.stringMatching(says)]);
      const checked = await runCommand(['check-config'], env);
      expect(checked).toMatchObject({ status: 78, out: '', err: expect.stringMatching(says) });
      expect(checked.err).toMatch(new RegExp(`^${setting} [^\n]*\n$`));
      expect(await runCommand(['check-config'], good)).toMatchObject({ status: 0, err: '' });
    },
  );
});

describe('a stop while it starts', () => {
  it('ends it in order, whatever it waits for, also where nobody but a listener is told of a signal', async () => {
    const starting = Promise.withResolvers<number>();
    const database = createServer().listen(0, '127.0.0.1');
    await once(database, 'listening');
    // It takes the connection and answers nothing.
    database.once('connection', (socket) => {
      socket.on('error', () => undefined);
      void starting.promise.then((pid) => process.kill(pid, 'SIGTERM'));
    });
    const { port } = database.address() as AddressInfo;
    const env = { ...folder.env, OPENMESH_LEDGER: `postgres://openmesh:secret@127.0.0.1:${port}/openmesh` };
    try {
      const outcome = await ExchangeProcess.start({ env, spawned: starting.resolve }).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(NotReady);
      // Not by the signal itself, which the first process of a container would never feel.
      expect(outcome).toMatchObject({ end: { code: 0, signal: null }, output: expect.stringContaining('"SIGTERM"') });
    } finally {
      database.close();
    }
  });
});
