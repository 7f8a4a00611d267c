import { afterAll, beforeAll, expect, it } from 'vitest';
import { isDead } from '../kit/engines/engine-process.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start({ durable: true });
});
afterAll(() => server[Symbol.asyncDispose]());

it('is a real PostgreSQL that flushes, on the loopback address only', async () => {
  expect(await server.run('show fsync')).toEqual(['on']);
  expect(await server.run('show listen_addresses')).toEqual(['127.0.0.1']);
  expect(Number((await server.run('show server_version_num'))[0])).toBeGreaterThanOrEqual(150_000);
});

it('keeps what was committed when it is killed and started again', async () => {
  await server.createDatabase();
  await server.run('create table kept (n integer)', 'test_1');
  await server.run('insert into kept values (7)', 'test_1');
  const { pid } = server;
  await server.kill();
  expect(isDead(pid)).toBe(true);
  await server.resume();
  expect(await server.run('select n from kept', 'test_1')).toEqual(['7']);
});
