import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Applications } from '../kit/client-applications.ts';
import { ClientFolder } from '../kit/client-folder.ts';
import { ClientProcess } from '../kit/client-process.ts';
import { CrashTrigger, clientCrashPoints } from '../kit/crash-points.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { oneOf, seededRandom, seedOfRun, wholeBetween } from '../kit/seeded-random.ts';

const rounds = Number(process.env['OPENMESH_TEST_CRASH_ROUNDS'] ?? 200);
const seed = seedOfRun();
const [a, b] = ['CRASHA', 'CRASHB'] as const;
/** For what is left to do when nothing dies any more, and for a step to be passed at all. */
const patienceMs = 120_000;
/** Of a round: not every step is passed as often in every round. */
const roundMs = 4000;
/** Of a client that sends and fetches what is left. */
const lifeMs = 10_000;
type ClientStep = (typeof clientCrashPoints)[number];
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-client-crash-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe(`the folder client, killed at every named step (OPENMESH_TEST_SEED=${seed}, ${rounds} rounds)`, () => {
  it(
    'sends no pair twice, loses none, delivers each once, and tells each sender once',
    async () => {
      const random = seededRandom(seed);
      const exchangeFolder = new ExchangeFolder(join(home, 'exchange'));
      exchangeFolder.addMailboxes([a, b]);
      const exchange = await ExchangeProcess.start({ env: exchangeFolder.env });
      // Chunks of a megabyte, the smallest there is, so that a few megabytes are a message of several.
      const settings = { ChunkMegabytes: '1', StatusSeconds: '3600', PollPeriod: '1', LogFileMebibytes: '1' };
      const folder = new ClientFolder(join(home, 'client'), {
        url: exchange.url,
        mailboxes: [a, b],
        password: 'kit-password',
        settings,
      });
      const applications = new Applications(() => folder, [a, b]);
      const trigger = new CrashTrigger(join(home, 'trigger'));
      const died = new Map<string, number>();
      const start = (): ClientProcess =>
        ClientProcess.start({
          configFile: folder.configFile,
          nodeArgs: trigger.start.nodeArgs,
          env: trigger.start.env,
        });

      /** Work until a client dies at this step, or for so long. */
      const play = async (round: number, { point, count }: { point: ClientStep; count: number }, ms: number) => {
        trigger.arm(point, count);
        for (let pair = 0; pair < 3; pair += 1) {
          const [from, to] = random() < 0.5 ? [a, b] : [b, a];
          const size = oneOf(random, [0, 700, 40_000]);
          applications.drop(from, random() < 0.15 ? undefined : to, Buffer.alloc(size, round), {
            Compress: oneOf(random, ['Y', 'N']),
          });
        }
        if (point.endsWith('chunk')) {
          applications.drop(a, b, Buffer.alloc(2_500_000, round), { AllowChunking: 'Y', Compress: 'N' });
        }
        const client = start();
        await Promise.race([client.exited, setTimeout(ms, undefined, { ref: false })]);
        if (!client.running) {
          expect((await client.exited).signal, client.said).toBe('SIGKILL');
          died.set(point, (died.get(point) ?? 0) + 1);
        }
        await client.kill9();
        if (random() < 0.5) applications.harvest();
      };

      for (let round = 0; round < rounds; round += 1) {
        const point = clientCrashPoints[round % clientCrashPoints.length] ?? clientCrashPoints[0];
        await play(round, { point, count: wholeBetween(random, 1, 3) }, roundMs);
      }
      // On a slow machine a round may be over before a step is passed: each is given the time it takes.
      const missed = clientCrashPoints.filter((point) => rounds >= clientCrashPoints.length && !died.has(point));
      for (const point of missed) await play(rounds, { point, count: 1 }, patienceMs);

      trigger.disarm();
      const live = async (ms: number, isEnough: () => boolean): Promise<void> => {
        const client = start();
        for (const until = Date.now() + ms; Date.now() < until && !isEnough(); ) {
          await setTimeout(100);
          applications.harvest();
        }
        await client.stop();
        applications.harvest();
      };
      // A client looks into its inbox when it starts, and then a minute later: what it sends comes in another life.
      for (const until = Date.now() + patienceMs; Date.now() < until && !applications.isDone; ) {
        await live(lifeMs, () => applications.isDone);
      }
      // One more look: what was wrongly kept would come again now.
      await live(2500, () => false);
      await exchange.kill9();
      expect(applications.violations()).toEqual([]);
      // A step at which nobody died proves nothing.
      expect(missed.filter((point) => !died.has(point))).toEqual([]);
    },
    rounds * 10_000 + 60_000,
  );
});
