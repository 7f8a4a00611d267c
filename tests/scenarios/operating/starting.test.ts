import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../../kit/exchange-folder.ts';
import { ExchangeProcess, NotReady } from '../../kit/exchange-process.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

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
