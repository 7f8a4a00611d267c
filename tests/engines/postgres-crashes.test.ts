import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CrashLoop } from '../kit/crash-loop.ts';
import { crashPoints } from '../kit/crash-points.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { seedOfRun } from '../kit/seeded-random.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const seed = seedOfRun();
/** Early in its life, and in the middle of its load. */
const counts = [1, 15, 60];
/** For it to pass a point so often: far more than any machine needs. */
const patienceMs = 60_000;

let postgres: PostgresServer;
let home: TemporaryFolder;
let loop: CrashLoop;
beforeAll(async () => {
  home = await temporaryFolder('postgres-crashes');
  postgres = await PostgresServer.start({ durable: true });
  loop = new CrashLoop({ home: home.path, seed, ledger: await postgres.createDatabase() });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await home.remove();
});

describe(`a node on PostgreSQL that dies under load (OPENMESH_TEST_SEED=${seed})`, () => {
  it.each(crashPoints)('keeps every promise when it dies at %s, while it starts and while it works', async (point) => {
    await loop.dieStarting({ point, count: 1 });
    for (const count of counts) {
      const server = await loop.start();
      await loop.judge(server);
      const diedByItself = await loop.workUntilDeath(server, { point, count }, patienceMs);
      expect(diedByItself, `it never passed ${point} ${count} times`).toBe(true);
    }
    const last = await loop.start();
    await loop.judge(last);
    loop.load.disconnect();
    await last.kill9();
  });

  it('was interrupted: some answers never came, and many did', () => {
    const sends = loop.load.history.events.filter((each) => each.kind === 'send');
    expect(sends.filter((each) => each.outcome === 'unknown').length).toBeGreaterThan(crashPoints.length);
    expect(sends.filter((each) => each.outcome === 'accepted').length).toBeGreaterThan(50);
  });
});
