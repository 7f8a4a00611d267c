import { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';
import { isConsequence } from '@openmesh/exchange/store/sql/postgres/faults.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';

let server: PostgresServer;
let connection: PostgresConnection;
beforeAll(async () => {
  server = await PostgresServer.start();
  await server.run('create table kept (id bigint primary key, text text, bytes bytea)');
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  const url = server.url();
  connection = await PostgresConnection.open({ url, role: 'test', connectTimeoutMs: 5000, answerTimeoutMs: 60_000 });
});
afterEach(() => connection.close());

const put = (name: string, sql: string, params: readonly (string | number | null | Buffer)[] = []) =>
  connection.put({ name, sql, params });
const keep = (id: number, text: string | null = null) =>
  put('keep', 'insert into kept (id, text) values ($1, $2)', [id, text]);
const count = (): Promise<number> =>
  put('count', 'select count(*) as count from kept').then(({ rows }) => Number(rows[0]?.count));
const bad = () => put('bad', 'select nothing from nowhere');
const good = () => put('good', 'select 7 as seven');
const all = () => put('all', 'select * from grows');
const step = (word: string) => put(word, word);

/** What became of each, in the order they were put: 'done', 'skipped', or the code of the server's error. */
async function fates(work: readonly Promise<unknown>[]): Promise<readonly string[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return 'done';
    return isConsequence(outcome.reason) ? 'skipped' : String((outcome.reason as { code?: string }).code);
  });
}

it('answers each statement of a group with its own rows and count, also the same statement put twice', async () => {
  const echo = 'select $1::text as text, $2::bigint as number, $3::bytea as bytes';
  for (const round of [1, 2]) {
    const [one, two, none, changed] = await Promise.all([
      put('echo', echo, ['a', 2 ** 53 - 1, Buffer.from([0, 255])]),
      put('echo', echo, ['é€', null, null]),
      put('nothing', 'select 1 as nothing where false'),
      put('three', 'insert into kept (id) select 100 * $1::int + generate_series(1, 3)', [round]),
    ]);
    expect(one.rows).toEqual([{ text: 'a', number: 2 ** 53 - 1, bytes: Buffer.from([0, 255]) }]);
    expect(two.rows).toEqual([{ text: 'é€', number: null, bytes: null }]);
    expect([none.rows, none.count, changed.count, changed.command]).toEqual([[], 0, 3, 'INSERT']);
  }
});

it('undoes a group outside of a transaction whole when one of it fails, and says which', async () => {
  const before = await count();
  expect(await fates([keep(1), keep(1), keep(2)])).toEqual(['skipped', '23505', 'skipped']);
  expect(await count()).toBe(before);
  expect(await fates([keep(1), keep(2)])).toEqual(['done', 'done']);
});

it('goes on after a statement that cannot be read, with those that stood behind it in its group', async () => {
  for (const _ of [1, 2]) expect(await fates([bad(), good()])).toEqual(['42P01', 'skipped']);
  expect((await good()).rows).toEqual([{ seven: 7 }]);
  expect(await fates([good(), bad()])).toEqual(['skipped', '42P01']);
  expect((await good()).rows).toEqual([{ seven: 7 }]);
});

it('prepares a statement anew when its tables have got other columns', async () => {
  await server.run('create table grows (a int)');
  expect(await fates([all()])).toEqual(['done']);
  await server.run('alter table grows add column b int');
  expect(await fates([all()])).toEqual(['0A000']);
  expect(await fates([all()])).toEqual(['done']);
});

it('refuses two statements of one name, and goes on', async () => {
  await good();
  await expect(put('good', 'select 8 as eight')).rejects.toThrow('two statements are called good');
});

it('commits nothing when the commit travels behind a statement that fails', async () => {
  expect(await fates([step('begin'), keep(10)])).toEqual(['done', 'done']);
  expect(await fates([keep(10), step('commit')])).toEqual(['23505', 'skipped']);
  await step('rollback');
  expect(await server.run('select id from kept where id = 10')).toEqual([]);
});

it('keeps the order of what is put by itself among what is put together', async () => {
  const order: string[] = [];
  const noting = async (word: string, work: Promise<unknown>): Promise<void> => {
    await work;
    order.push(word);
  };
  await Promise.all([
    noting('one', keep(21)),
    noting('script', connection.put({ sql: 'delete from kept where id = 21; insert into kept (id) values (22)' })),
    noting('two', keep(21)),
  ]);
  expect(order).toEqual(['one', 'script', 'two']);
});

it('rejects all of a group, and what is put later, when the server goes away', async () => {
  const slow = put('slow', 'select pg_sleep(60)');
  const behind = keep(30);
  const lost = Promise.allSettled([slow, behind]);
  await server.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'openmesh test'");
  expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(connection.isLost).toBe(true);
  await expect(keep(31)).rejects.toThrow();
});
