import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import { openSqliteLedger } from '@openmesh/exchange/store/sql/sqlite/ledger.ts';
import type { MailboxId } from '@openmesh/protocol';
import { type NumberFlags, readFlags } from '../flags.ts';
import { smallBodyBytesMax } from '../payload.ts';
import { median, rounded } from '../statistics.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { type LanePlan, liveOnce } from './lifecycle.ts';
import { threadMicros, threadsStartedBy, written } from './thread-clocks.ts';

export const ledgerSummary =
  'the same lifecycles asked of the ledger alone: CPU of the asking thread, the writer, and others';

export const ledgerFlags = {
  lanes: { default: 64, min: 1, max: 4096, help: 'lifecycles side by side' },
  mailboxes: { default: 2, min: 1, max: 1000, help: 'recipients of a lane, in turn' },
  'bytes-min': { default: 1024, min: 64, max: smallBodyBytesMax, help: 'smallest body' },
  'bytes-max': { default: smallBodyBytesMax, min: 64, max: smallBodyBytesMax, help: 'largest body' },
  'warm-up': { default: 3, min: 1, max: 600, help: 'seconds before the first measured window' },
  seconds: { default: 5, min: 1, max: 3600, help: 'seconds of each measured window' },
  rounds: { default: 3, min: 1, max: 50, help: 'measured windows' },
} as const satisfies NumberFlags;

type Flags = ReturnType<typeof readFlags<typeof ledgerFlags>>;

interface Window {
  readonly lifecyclesPerSecond: number;
  /** CPU microseconds a lifecycle, user and system. The asking thread makes ids, nonces and bodies besides asking. */
  readonly askingMicros: number;
  readonly ledgerMicros: number;
  /** V8's helpers (garbage collection, compilation) and the file system's pool. */
  readonly otherMicros: number;
  readonly totalMicros: number;
  readonly commandsABatch: number;
  /** KiB handed to the system and the calls that did it, of the whole process, a lifecycle. */
  readonly writtenKiB: number;
  readonly writes: number;
}

export async function runLedger(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, ledgerFlags);
  return withWorkDirectory((directory) => measure(flags, join(directory, 'ledger.sqlite')));
}

async function measure(flags: Flags, path: string): Promise<object> {
  const batches = { count: 0, commands: 0 };
  let running = 0;
  const [ledger, threads] = await threadsStartedBy(() =>
    openSqliteLedger({
      path,
      profile: 'live',
      cacheMebibytes: 16,
      queueMax: 10_000,
      companions: () => running,
      onBatch: ({ size }) => {
        batches.count += 1;
        batches.commands += size;
      },
      onBroken: (reason) => {
        throw new Error(reason);
      },
    }),
  );
  const count = { lifecycles: 0, stopped: false };
  running = flags.lanes;
  const lanes = Array.from({ length: flags.lanes }, (_, lane) => runLane(ledger, plansOf(flags, lane), count));
  const done = Promise.all(lanes);
  const windows: Window[] = [];
  const clock = () => ({
    atMs: performance.now(),
    micros: threadMicros(),
    lifecycles: count.lifecycles,
    ...written(),
    ...batches,
  });
  await Promise.race([sleep(flags['warm-up'] * 1000), done]);
  let before = clock();
  for (let round = 1; round <= flags.rounds; round += 1) {
    await Promise.race([sleep(flags.seconds * 1000), done]);
    const after = clock();
    const window = compare(before, after, threads);
    windows.push(window);
    console.error(JSON.stringify(window));
    before = after;
  }
  count.stopped = true;
  await done;
  await ledger.close();
  const middle = (figure: keyof Window): number | null => rounded(median(windows.map((each) => each[figure])), 1);
  const names = Object.keys(windows[0] ?? {}) as (keyof Window)[];
  return { flags, ...Object.fromEntries(names.map((name) => [name, middle(name)])), windows };
}

interface Clock {
  readonly atMs: number;
  readonly micros: ReadonlyMap<number, number>;
  readonly lifecycles: number;
  readonly bytes: number;
  readonly writes: number;
  readonly count: number;
  readonly commands: number;
}

function compare(before: Clock, after: Clock, ledgerThreads: readonly number[]): Window {
  const lifecycles = after.lifecycles - before.lifecycles;
  let [asking, ledger, other] = [0, 0, 0];
  for (const [thread, micros] of after.micros) {
    const used = micros - (before.micros.get(thread) ?? 0);
    if (thread === process.pid) asking += used;
    else if (ledgerThreads.includes(thread)) ledger += used;
    else other += used;
  }
  const each = (micros: number): number => rounded(micros / lifecycles, 1) ?? 0;
  return {
    lifecyclesPerSecond: Math.round((lifecycles * 1000) / (after.atMs - before.atMs)),
    askingMicros: each(asking),
    ledgerMicros: each(ledger),
    otherMicros: each(other),
    totalMicros: each(asking + ledger + other),
    writtenKiB: each((after.bytes - before.bytes) / 1024),
    writes: each(after.writes - before.writes),
    commandsABatch: rounded((after.commands - before.commands) / (after.count - before.count), 1) ?? 0,
  };
}

function plansOf(flags: Flags, lane: number): readonly LanePlan[] {
  const [bodyBytesMin, bodyBytesMax] = [flags['bytes-min'], flags['bytes-max']];
  return Array.from({ length: flags.mailboxes }, (_, index) => {
    const digits = String(lane * flags.mailboxes + index).padStart(6, '0');
    const [sender, recipient] = [`BENCHA${digits}` as MailboxId, `BENCHB${digits}` as MailboxId];
    return { sender, recipient, bodyBytesMin, bodyBytesMax };
  });
}

async function runLane(
  ledger: Ledger,
  plans: readonly LanePlan[],
  count: { lifecycles: number; stopped: boolean },
): Promise<void> {
  for (let turn = 0; !count.stopped; turn += 1) {
    const plan = plans[turn % plans.length];
    if (plan === undefined) return;
    await liveOnce(ledger.messages, plan);
    count.lifecycles += 1;
  }
}
