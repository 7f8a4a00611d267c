import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess, NotReady } from '../kit/exchange-process.ts';
import { buildFlushShim, diskFull, type FaultRule, type FlushShim, setFaults } from '../kit/flush-shim/build.ts';
import { violationsOf } from '../kit/history.ts';
import { HistoryRecorder } from '../kit/history-recorder.ts';
import { jsonOf, type MeshReply } from '../kit/mesh-client.ts';
import { bytesOf, RecordedMailbox, type SendResult } from '../kit/recorded-mailbox.ts';

const inline = 2000;
const aFile = 200_000;
const mailboxes = ['DISKA', 'DISKB'] as const;
let shim: FlushShim;
beforeAll(() => {
  shim = buildFlushShim();
});
afterAll(() => shim.remove());

/** One server on a disk that fails on demand, and a sender and a reader who write down what they see. */
class Scene {
  readonly home: string;
  readonly folder: ExchangeFolder;
  readonly history = new HistoryRecorder();
  server: ExchangeProcess;
  sender: RecordedMailbox;
  reader: RecordedMailbox;
  readonly #env: Record<string, string>;
  #made = 0;

  private constructor(home: string, folder: ExchangeFolder, server: ExchangeProcess, env: Record<string, string>) {
    this.#env = env;
    this.home = home;
    this.folder = folder;
    this.server = server;
    this.sender = this.#meet(mailboxes[0]);
    this.reader = this.#meet(mailboxes[1]);
  }

  static async open(): Promise<Scene> {
    const home = mkdtempSync(join(tmpdir(), 'openmesh-faults-'));
    const folder = new ExchangeFolder(home);
    mkdirSync(folder.data);
    folder.addMailboxes(mailboxes);
    const env = { ...folder.env, ...shim.env({ root: folder.data, faults: join(home, 'faults') }) };
    return new Scene(home, folder, await ExchangeProcess.start({ env }), env);
  }

  faults(rules: readonly FaultRule[]): void {
    setFaults(join(this.home, 'faults'), rules);
  }

  async send(...sizes: readonly number[]): Promise<SendResult> {
    this.#made += 1;
    const key = `fault-${this.#made}`;
    const chunks = sizes.map((size, at) => bytesOf(key, at, size));
    return this.sender.send({ key, to: mailboxes[1], chunks, stored: new Set() });
  }

  /** The raw answer to a send, for its words; what it did is judged by the listing. */
  async answerToSend(size: number): Promise<MeshReply> {
    return this.sender.client.send({ to: mailboxes[1], workflowId: 'W', localId: 'raw' }, Buffer.alloc(size, 'r'));
  }

  async restart({ stdout }: { stdout?: number } = {}): Promise<void> {
    this.sender.client.close();
    this.reader.client.close();
    await this.server.stop();
    this.server = await ExchangeProcess.start({ env: this.#env, ...(stdout !== undefined && { stdout }) });
    this.sender = this.#meet(mailboxes[0]);
    this.reader = this.#meet(mailboxes[1]);
  }

  /** Reads everything that waits and judges the whole history. */
  async judge(): Promise<void> {
    for (const id of (await this.reader.list()) ?? []) expect(await this.reader.download(id)).toBe('got');
    expect(violationsOf(this.history.events)).toEqual([]);
  }

  async close(): Promise<void> {
    this.sender.client.close();
    this.reader.client.close();
    await this.server.kill9();
    rmSync(this.home, { recursive: true, force: true });
  }

  #meet(mailbox: string): RecordedMailbox {
    return new RecordedMailbox(this.folder.client(this.server.url, mailbox), this.history);
  }
}

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(() => scene.close());

/** What a caller must be able to read of any refusal: rule 8 of the reference. */
function expectClearError(reply: MeshReply, status: number): void {
  expect(reply.status).toBe(status);
  const detail = (jsonOf(reply) as { readonly detail?: readonly { readonly msg?: unknown }[] }).detail;
  expect(detail?.[0]?.msg).toEqual(expect.stringMatching(/./));
}

describe('when the disk is full', () => {
  it.each([inline, aFile])(
    'a send of %i bytes is refused clearly, and space heals the server in place',
    async (size) => {
      expect(await scene.send(inline)).toBe('accepted');
      expect(await scene.send(aFile)).toBe('accepted');
      scene.faults(diskFull('*'));
      expectClearError(await scene.answerToSend(size), 503);
      expect(await scene.send(size)).toBe('refused');
      scene.faults([]);
      expect(await scene.send(size)).toBe('accepted');
      expect(scene.server.running).toBe(true);
      await scene.judge();
    },
  );

  it('a chunk in the middle is refused and the upload goes on when there is space', async () => {
    const chunks = [aFile, aFile, inline].map((size, at) => bytesOf('chunked', at, size));
    const upload = { key: 'chunked', to: mailboxes[1], chunks, stored: new Set<number>() };
    scene.faults([{ operation: 'create', what: 'ENOSPC', skip: 1, glob: 'bodies/*' }]);
    expect(await scene.sender.send(upload)).toBe('unfinished');
    expect([...upload.stored]).toEqual([1]);
    scene.faults([]);
    expect(await scene.sender.send(upload)).toBe('accepted');
    await scene.judge();
  });

  it('a start that has no room says so in a sentence, and there is nothing to do but to make room', async () => {
    expect(await scene.send(inline)).toBe('accepted');
    await scene.server.kill9();
    scene.faults([{ operation: 'write', what: 'ENOSPC', glob: 'ledger.sqlite' }]);
    const refused = await scene.server.restart().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NotReady);
    expect(refused).toMatchObject({ end: { code: 69 }, output: expect.stringContaining('free space on its disk') });
    scene.faults([]);
    await scene.restart();
    await scene.judge();
  });

  it('the reserve lets reading and acknowledging go on while every send is refused', async () => {
    expect(await scene.send(inline)).toBe('accepted');
    expect(await scene.send(aFile)).toBe('accepted');
    scene.faults([{ operation: 'space', what: 0, glob: '*' }]);
    await scene.restart();
    for (const size of [inline, aFile]) expectClearError(await scene.answerToSend(size), 503);
    for (const id of (await scene.reader.list()) ?? []) {
      expect(await scene.reader.download(id)).toBe('got');
      expect(await scene.reader.acknowledge(id)).toBe('accepted');
    }
    expect(await scene.reader.list()).toEqual([]);
    scene.faults([]);
    // How long a measurement of the disk is believed is the server's own affair.
    await expect.poll(() => scene.send(inline), { timeout: 30_000 }).toBe('accepted');
    await scene.judge();
  });
});

describe('the first start of all on a full disk', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'openmesh-first-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const places: readonly (readonly [FaultRule['operation'], string])[] = [
    ['mkdir', 'ledger'],
    ['create', 'ledger/ledger.sqlite-serving'],
    ['grow', 'ledger/ledger.sqlite-serving*'],
    ['create', 'ledger/ledger.sqlite'],
    ['grow', 'ledger/ledger.sqlite'],
    ['grow', 'ledger/ledger.sqlite-wal'],
    ['grow', 'ledger/ledger.sqlite-shm'],
    ['mkdir', 'bodies'],
  ];

  it.each(places)(
    'that lets it not %s %s says so with 69, and with room the same start succeeds',
    async (operation, glob) => {
      const data = join(home, 'data');
      mkdirSync(data);
      const folder = new ExchangeFolder(home, data, `sqlite:${join(data, 'ledger/ledger.sqlite')}`);
      const faults = join(home, 'faults');
      setFaults(faults, [{ operation, what: 'ENOSPC', glob }]);
      const env = { ...folder.env, ...shim.env({ root: data, faults }) };
      const refused = await ExchangeProcess.start({ env }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(NotReady);
      expect(refused).toMatchObject({
        end: { code: 69 },
        output: expect.stringMatching(/free space on (its|the) disk/),
      });
      setFaults(faults, []);
      const started = await ExchangeProcess.start({ env });
      expect(await started.stop()).toEqual({ code: 0, signal: null });
    },
  );
});

describe('when the disk gives or takes only a part', () => {
  it('short writes are continued until every byte is there', async () => {
    scene.faults([{ operation: 'write', what: 'SHORT', glob: '*' }]);
    expect(await scene.send(inline)).toBe('accepted');
    expect(await scene.send(aFile, aFile, inline)).toBe('accepted');
    scene.faults([]);
    await scene.judge();
  });

  it('short reads are continued until every byte is there', async () => {
    expect(await scene.send(aFile, aFile)).toBe('accepted');
    scene.faults([{ operation: 'read', what: 'SHORT', glob: 'bodies/*' }]);
    await scene.judge();
  });
});

describe('when the disk fails', () => {
  it('a body that cannot be read is an error to its reader, not an end to the server, and is there again after', async () => {
    expect(await scene.send(aFile)).toBe('accepted');
    const [id = ''] = (await scene.reader.list()) ?? [];
    scene.faults([{ operation: 'read', what: 'EIO', glob: 'bodies/*' }]);
    expect(await scene.reader.download(id)).toBeUndefined();
    scene.faults([]);
    expect(await scene.reader.download(id)).toBe('got');
    await scene.judge();
  });

  it.each(['write', 'flush', 'create', 'mkdir'] as const)(
    'a body whose %s fails is refused and leaves nothing',
    async (operation) => {
      scene.faults([{ operation, what: 'EIO', count: 1, glob: 'bodies/*' }]);
      expect(await scene.send(aFile)).not.toBe('accepted');
      scene.faults([]);
      expect(await scene.send(aFile)).toBe('accepted');
      expect(scene.server.running).toBe(true);
      await scene.judge();
    },
  );

  it('a ledger that failed ends the process also when not a word of it can be logged', async () => {
    const full = openSync('/dev/full', 'w');
    await scene.restart({ stdout: full });
    closeSync(full);
    scene.faults([{ operation: 'flush', what: 'EIO', count: 1, glob: 'ledger.sqlite-wal' }]);
    expect(await scene.send(inline)).not.toBe('accepted');
    expect(await scene.server.exited).toEqual({ code: 74, signal: null });
    scene.faults([]);
    await scene.restart();
    await scene.judge();
  });

  it.each(['flush', 'write'] as const)(
    'a ledger whose %s failed promises nothing more, ends, and recovers at start',
    async (operation) => {
      expect(await scene.send(inline)).toBe('accepted');
      scene.faults([{ operation, what: 'EIO', count: 1, glob: 'ledger.sqlite-wal' }]);
      const results = await Promise.all([inline, inline, aFile, inline, aFile].map((size) => scene.send(size)));
      expect(results).not.toContain('accepted');
      const end = await scene.server.exited;
      expect(end.signal).toBeNull();
      expect(end.code).toBeGreaterThan(0);
      scene.faults([]);
      await scene.restart();
      expect(await scene.send(inline)).toBe('accepted');
      // Whoever was told "not now" (503) sends again: such a message must not be there already.
      await scene.judge();
    },
  );

  it('a quota that ends in the ledger ends the process at once, each start as well, and with room nothing is lost', async () => {
    expect(await scene.send(inline)).toBe('accepted');
    scene.faults([
      { operation: 'grow', what: 'EDQUOT', glob: 'ledger.sqlite*' },
      { operation: 'create', what: 'EDQUOT', glob: '*' },
    ]);
    const results = await Promise.all([inline, inline, aFile].map((size) => scene.send(size)));
    expect(results).not.toContain('accepted');
    expect(await scene.server.exited).toEqual({ code: 74, signal: null });
    for (let start = 1; start <= 2; start += 1) {
      const refused = await scene.server.restart().catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(NotReady);
      expect(refused).toMatchObject({
        end: { code: 1 },
        output: expect.stringContaining('their rights and their disk'),
      });
    }
    scene.faults([]);
    await scene.restart();
    expect(await scene.send(inline)).toBe('accepted');
    await scene.judge();
  });
});
