import { join } from 'node:path';
import { createClockwork } from '@openmesh/exchange/jobs/clockwork.ts';
import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import { openSqliteLedger } from '@openmesh/exchange/store/sql/sqlite/ledger.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const stepMs = 10_000;
const everyMs = 60_000;

let folder: TemporaryFolder;
let ledger: Ledger;
let nowMs: number;
/** Which node ran the job, and how it was told to stop, in the order of their beginnings. */
let runs: { readonly holder: string; readonly signal: AbortSignal }[];
let release: () => void;

function onBroken(reason: string): never {
  throw new Error(reason);
}

function failed(_job: string, error: unknown): never {
  throw error;
}

beforeEach(async () => {
  folder = await temporaryFolder('long-jobs');
  const path = join(folder.path, 'ledger.sqlite');
  ledger = await openSqliteLedger({ path, profile: 'live', cacheMebibytes: 4, queueMax: 1000, onBroken });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  nowMs = Date.UTC(2026, 0, 5, 9);
  runs = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await ledger.close();
  await folder.remove();
});

/** A node whose job is under way until `release`. */
function startNode(holder: string): ReturnType<typeof createClockwork> {
  const { promise, resolve } = Promise.withResolvers<void>();
  release = resolve;
  const run = (signal: AbortSignal): Promise<void> => {
    runs.push({ holder, signal });
    return promise;
  };
  const jobs = [{ name: 'slow', everyMs, atStart: true, run }];
  const clockwork = createClockwork({
    jobs,
    ledger: ledger.jobs,
    holder,
    machineClock: { nowMs: () => nowMs },
    failed,
  });
  clockwork.start();
  return clockwork;
}

/** Lets time pass for all nodes; what their timers ask of the ledger is answered in between. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    nowMs += stepMs;
    await vi.advanceTimersByTimeAsync(stepMs);
    await ledger.jobs.lease({ name: 'asked last', holder: 'test', nowMs, untilMs: nowMs + 1 });
  }
}

it('stay with the node that is at them, however long they take, and go to another when it is done', async () => {
  const one = startNode('one');
  const finish = release;
  await pass(stepMs);
  const two = startNode('two');
  await pass(30 * everyMs);
  expect(runs.map(({ holder }) => holder)).toEqual(['one']);
  finish();
  await one.stop();
  await pass(4 * everyMs);
  expect(runs.map(({ holder }) => holder)).toEqual(['one', 'two']);
  expect(runs[1]?.signal.aborted).toBe(false);
  release();
  await two.stop();
});

it('stop at a node when another has them, as after a time in which the ledger could not be reached', async () => {
  const one = startNode('one');
  await pass(3 * everyMs);
  expect(runs[0]?.signal.aborted).toBe(false);
  const laterMs = nowMs + 2 * everyMs;
  const lease = { name: 'slow', holder: 'two', nowMs: laterMs, untilMs: laterMs + everyMs };
  expect(await ledger.jobs.lease(lease)).toBe(true);
  await pass(3 * stepMs);
  expect(runs.map(({ signal }) => signal.aborted)).toEqual([true]);
  release();
  await one.stop();
});
