import type { JobLedger } from '../store/ledger/jobs.ts';
import { ClockApart } from '../store/ledger.ts';

/** Something that happens because time passed. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /** Runs when the clockwork is started, and not only when its first interval is over. */
  readonly atStart?: boolean;
  /**
   * Does what is due in bounded batches; stops between two when `signal` says so: the process ends, or another node has
   * the job now. Safe to run twice.
   */
  run(signal: AbortSignal): Promise<void>;
}

export interface ClockworkOptions {
  readonly jobs: readonly Job[];
  readonly ledger: Pick<JobLedger, 'lease'>;
  /** This process among the nodes of one ledger. */
  readonly holder: string;
  readonly machineClock: { nowMs(): number };
  readonly failed: (job: string, error: unknown) => void;
}

export interface Clockwork {
  start(): void;
  /** Runs every job once, now, whoever else is running: for a clock that was moved. */
  runAll(): Promise<void>;
  stop(): Promise<void>;
}

/** A lease outlives its job's interval by this, so that the next run finds it still its own. */
const leaseGraceMs = 60_000;
/** A run that takes long takes its lease again so often, long before it ends. */
const renewEveryMs = 20_000;

/** Runs each job on one node at a time, by lease; a node that dies lets go when its lease ends. */
export function createClockwork(options: ClockworkOptions): Clockwork {
  const { jobs, ledger, holder, machineClock } = options;
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  const runOnce = (job: Job, anyway = false): Promise<void> => {
    const known = running.get(job.name);
    if (known !== undefined) return known;
    const run = attempt(job, anyway).finally(() => running.delete(job.name));
    running.set(job.name, run);
    return run;
  };

  const take = ({ name, everyMs }: Job): Promise<boolean> => {
    const nowMs = machineClock.nowMs();
    return ledger.lease({ name, holder, nowMs, untilMs: nowMs + everyMs + leaseGraceMs });
  };

  /** A run that lost its lease all the same, as one whose ledger was away for long, ends; also one whose clock was set wrong. */
  const runLeased = async (job: Job): Promise<void> => {
    const lost = new AbortController();
    const onAnswer = (mine: boolean): void => (mine ? undefined : lost.abort());
    // While the ledger is away nobody else takes it either, and the run itself finds out.
    const onFault = (fault: unknown): void => (fault instanceof ClockApart ? lost.abort() : undefined);
    const renewals = setInterval(() => void take(job).then(onAnswer, onFault), renewEveryMs).unref();
    try {
      await job.run(AbortSignal.any([stopping.signal, lost.signal]));
    } finally {
      clearInterval(renewals);
    }
  };

  const attempt = async (job: Job, anyway: boolean): Promise<void> => {
    try {
      if (await take(job)) await runLeased(job);
      else if (anyway) await job.run(stopping.signal);
    } catch (error) {
      options.failed(job.name, error);
    }
  };

  const schedule = (job: Job): void => {
    if (stopping.signal.aborted) return;
    const timer = setTimeout(() => void runOnce(job).then(() => schedule(job)), job.everyMs);
    timer.unref();
    timers.set(job.name, timer);
  };

  return {
    start() {
      for (const job of jobs) {
        if (job.atStart === true) void runOnce(job).then(() => schedule(job));
        else schedule(job);
      }
    },
    async runAll() {
      // A run that began before the clock was moved may have looked too early.
      await Promise.all(running.values());
      // A process that was killed still has its leases, and whoever moved the clock is waiting.
      for (const job of jobs) await runOnce(job, true);
    },
    async stop() {
      stopping.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
