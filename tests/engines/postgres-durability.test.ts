import { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../kit/command-process.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess, NotReady } from '../kit/exchange-process.ts';
import { freePort } from '../kit/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

let home: TemporaryFolder;
beforeEach(async () => {
  home = await temporaryFolder('postgres-durability');
});
afterEach(() => home.remove());

type Environment = Readonly<Record<string, string>>;

const liveOn = (ledger: string): Environment => ({ ...new ExchangeFolder(home.path).env, OPENMESH_LEDGER: ledger });

/** What an exchange says that does not start, and its status; or what a started one had logged. */
async function start(env: Environment): Promise<{ code: number | null; says: string }> {
  try {
    const started = await ExchangeProcess.start({ env });
    await started.stop();
    return { code: null, says: started.stdout };
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    return { code: error.end?.code ?? null, says: error.output };
  }
}

describe.each([
  ['fsync', 'off', 'does not survive a power cut'],
  ['full_page_writes', 'off', 'cannot be mended'],
  ['data_sync_retry', 'on', 'its bytes may be gone'],
])('a PostgreSQL with %s = %s', (setting, value, because) => {
  let server: PostgresServer;
  let ledger: string;
  beforeAll(async () => {
    server = await PostgresServer.start({ durable: true, settings: { [setting]: value } });
    ledger = await server.createDatabase();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('is refused by a live exchange before it makes a table there, with a reason and what to do', async () => {
    const { code, says } = await start(liveOn(ledger));
    expect(says).toMatch(
      new RegExp(`^serve: the ledger cannot be used: ${setting} is ${value}.*${because}; set ${setting} = `, 'm'),
    );
    expect(code).toBe(78);
    expect(await server.run("select count(*) from pg_class where relname = 'message'", 'test_1')).toEqual(['0']);
  });

  it('is named by check-config, as words and as JSON, and by the commands of operators', async () => {
    const words = await runCommand(['check-config'], liveOn(ledger));
    expect(words.status).toBe(78);
    expect(words.err).toContain(`OPENMESH_LEDGER names a database that cannot be used: ${setting} is ${value}`);
    const json = await runCommand(['check-config', '--json'], liveOn(ledger));
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, problems: [{ name: 'OPENMESH_LEDGER' }] });
    expect(await runCommand(['mailbox', 'list'], liveOn(ledger))).toMatchObject({ status: 78 });
  });

  it('is taken when the settings say so, and in the sandbox, with a warning in the log and in check-config', async () => {
    const anyway = { OPENMESH_LEDGER_UNSAFE_SERVER: 'warn' };
    const sandbox = { OPENMESH_PROFILE: 'sandbox', OPENMESH_LEDGER: await server.createDatabase() };
    for (const more of [anyway, sandbox]) {
      const env = { ...liveOn(ledger), ...more };
      const { code, says } = await start(env);
      expect(says).toContain(`"event":"ledger-may-lose-commits","reason":"${setting.replaceAll('_', '-')}"`);
      expect(code).toBeNull();
      const checked = await runCommand(['check-config'], env);
      expect(checked.err).toContain(`warning: OPENMESH_LEDGER names a database that cannot be used: ${setting}`);
      expect(checked.status).toBe(0);
    }
  });
});

describe('a PostgreSQL that flushes', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start({ durable: true, settings: { synchronous_commit: 'off' } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('may answer others before it flushes: a connection of the exchange waits, whatever server or role say', async () => {
    await server.run('alter role postgres set synchronous_commit = off');
    const limits = { connectTimeoutMs: 5000, answerTimeoutMs: 5000 };
    const connection = await PostgresConnection.open({ url: server.url(), role: 'test', ...limits });
    expect((await connection.put({ sql: 'show synchronous_commit' })).rows).toEqual([{ synchronous_commit: 'on' }]);
    await connection.close();
    const { code, says } = await start(liveOn(await server.createDatabase()));
    expect(says).not.toContain('ledger-may-lose-commits');
    expect(code).toBeNull();
  });

  it('is asked by check-config without a trace in it', async () => {
    const env = liveOn(await server.createDatabase());
    expect(await runCommand(['check-config'], env)).toMatchObject({ status: 0, err: '' });
    expect(await server.run("select count(*) from pg_class where relname = 'message'", 'test_2')).toEqual(['0']);
  });
});

it('an exchange whose PostgreSQL is away says so with a status that asks to be started again; for check-config it is a warning', async () => {
  const env = liveOn(`postgres://postgres:pass-word@127.0.0.1:${await freePort()}/mesh`);
  const { code, says } = await start(env);
  expect(says).toMatch(/^serve: the ledger cannot be used: no primary answers at its address; check OPENMESH_LEDGER/m);
  expect(code).toBe(69);
  const checked = await runCommand(['check-config'], env);
  expect(checked).toMatchObject({ status: 0, err: expect.stringContaining('no primary answers') as unknown });
  expect(says + checked.out + checked.err).not.toContain('pass-word');
});
