import { afterAll, beforeAll, expect, it } from 'vitest';
import { PostgresCluster } from '../kit/engines/postgres-cluster.ts';

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** Repeated until a leader takes it: what was answered is what counts. */
async function untilTaken(sql: string): Promise<readonly string[]> {
  const answered: (readonly string[])[] = [];
  const ask = async (): Promise<boolean> =>
    cluster.run(sql).then(
      (rows) => answered.push(rows) > 0,
      () => false,
    );
  await expect.poll(ask, { timeout: 120_000 }).toBe(true);
  return answered[0] ?? [];
}

const insert = (n: number) => untilTaken(`insert into kept values (${n}) on conflict do nothing`);

it('goes on with another leader when the leader is killed, and keeps everything it had answered', async () => {
  await untilTaken('create table if not exists kept (n integer primary key)');
  await insert(1);
  const first = await cluster.killLeader('machine');
  await insert(2);
  expect(await cluster.leader()).not.toBe(first);
  await cluster.revive(first);
  await cluster.whole();
  const second = await cluster.killLeader('postgres');
  await insert(3);
  expect(await cluster.leader()).not.toBe(second);
  expect(await untilTaken('select n from kept order by n')).toEqual(['1', '2', '3']);
});
