import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrashLoop } from '../kit/crash-loop.ts';
import { seedOfRun } from '../kit/seeded-random.ts';

const rounds = Number(process.env['OPENMESH_TEST_CRASH_ROUNDS'] ?? 50);
const seed = seedOfRun();
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-crash-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe(`a crash loop (OPENMESH_TEST_SEED=${seed}, ${rounds} rounds)`, () => {
  it(
    'keeps every promise over many deaths at random and at named points',
    async () => {
      const loop = new CrashLoop({ home, seed });
      for (let round = 0; round < rounds; round += 1) {
        if (loop.random() < 0.15) await loop.dieStarting(loop.anyPoint(3));
        const server = await loop.start();
        await loop.judge(server);
        const death = loop.random() < 0.7 ? loop.anyPoint(100) : undefined;
        await loop.workUntilDeath(server, death);
      }
      const last = await loop.start();
      await loop.judge(last);
      loop.load.disconnect();
      await last.kill9();
      const sends = loop.load.history.events.filter((each) => each.kind === 'send');
      // Rounds that do nothing prove nothing, nor do deaths that interrupt nobody.
      expect(sends.filter((each) => each.outcome === 'accepted').length).toBeGreaterThan(rounds * 5);
      expect(sends.filter((each) => each.outcome === 'unknown').length).toBeGreaterThan(0);
    },
    rounds * 30_000,
  );
});
