import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Credentials } from '../certificates.ts';
import {
  cpuMicros,
  familyCpuMicros,
  machineCpuMicros,
  residentMiB,
  type ThreadClock,
  threadClocks,
} from '../process-usage.ts';
import { percentile, rounded } from '../statistics.ts';
import {
  type Answers,
  figuresPerSample,
  type MailboxPair,
  operations,
  phases,
  type WorkerOrder,
  type WorkerReport,
} from './operations.ts';

/** One process of an exchange, and where it listens. */
interface Node {
  readonly pid: number;
  readonly port: number;
}

export interface LegOptions {
  readonly target: string;
  readonly server: Node & { readonly otherNodes?: readonly Node[]; readonly databasePid?: number };
  readonly credentials: Credentials;
  readonly sharedKey: string;
  readonly pairs: readonly MailboxPair[];
  readonly threads: number;
  readonly connections: number;
  readonly bodyBytesMin: number;
  readonly bodyBytesMax: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly lifecyclesPerSecondPrepared: number;
  readonly checkStamp: boolean;
}

/** Figures of one measured window against one server, all its nodes together. CPU is of all threads, user and system. */
export interface LegResult {
  readonly target: string;
  readonly lifecycles: number;
  readonly lifecyclesPerSecond: number;
  readonly serverCpuMicrosPerLifecycle: number;
  /** The same by the names of the threads, of the first node. */
  readonly serverThreadMicrosPerLifecycle: Readonly<Record<string, number>>;
  readonly serverCoresUsed: number;
  /** Of all processes of the database; left out where the records lie in the server's own files. */
  readonly databaseCpuMicrosPerLifecycle?: number;
  /** Server and database together used under 90 % of a core: the generator, not they, set the pace. */
  readonly generatorBound: boolean;
  readonly generatorCpuMicrosPerLifecycle: number;
  /** Cores that neither the server nor the generator used: flushing by the kernel, and anything that disturbs. */
  readonly otherCoresUsed: number;
  readonly serverResidentMiB: number;
  readonly serverResidentPeakMiB: number;
  readonly p50Ms: Readonly<Record<string, number | null>>;
  readonly p99Ms: Readonly<Record<string, number | null>>;
  readonly maxMs: number | null;
  readonly tokensMadeLate: number;
  readonly cipher: string;
}

export interface LegOutcome {
  readonly result: LegResult;
  readonly answers: Answers;
}

const generatorBoundBelowCores = 0.9;

/** Runs one leg. Rejects on the first wrong answer or broken connection. */
export async function runLeg(options: LegOptions): Promise<LegOutcome> {
  const phase = new SharedArrayBuffer(4);
  const threads = Array.from({ length: options.threads }, (_, index) => new Thread(orderFor(options, index, phase)));
  try {
    const ciphers = await Promise.all(threads.map((thread) => thread.ready));
    for (const thread of threads) thread.start();
    const failure = Promise.race(threads.map((thread) => thread.failure));
    await Promise.race([sleep(options.warmUpMs), failure]);
    const before = readClocks(options.server);
    Atomics.store(new Int32Array(phase), 0, phases.measure);
    await Promise.race([sleep(options.windowMs), failure]);
    const after = readClocks(options.server);
    Atomics.store(new Int32Array(phase), 0, phases.stop);
    const outcomes = await Promise.race([Promise.all(threads.map((thread) => thread.done)), failure]);
    const answers = threads[0]?.answers;
    if (answers === undefined) throw new Error('no lifecycle was completed, so there is nothing to report');
    const result = summarise(options, before, after, outcomes, ciphers[0] ?? '');
    return { result, answers };
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

type Done = Extract<WorkerReport, { kind: 'done' }>;

class Thread {
  readonly #worker: Worker;
  readonly ready: Promise<string>;
  readonly done: Promise<Done>;
  /** Never resolves; rejects when the thread met a wrong answer or died. */
  readonly failure: Promise<never>;
  answers: Answers | undefined;

  constructor(order: WorkerOrder) {
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: order });
    const ready = Promise.withResolvers<string>();
    const done = Promise.withResolvers<Done>();
    const failure = Promise.withResolvers<never>();
    const fail = (error: Error): void => {
      for (const { reject } of [ready, done, failure]) reject(error);
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new Error('a generator thread ended early')));
    this.#worker.on('message', (report: WorkerReport) => {
      switch (report.kind) {
        case 'ready':
          ready.resolve(report.cipher);
          break;
        case 'answers':
          this.answers = report.answers;
          break;
        case 'done':
          done.resolve(report);
          break;
        case 'failed':
          fail(new Error(report.message));
          break;
      }
    });
    this.ready = ready.promise;
    this.done = done.promise;
    this.failure = failure.promise;
    for (const promise of [ready.promise, done.promise, failure.promise]) promise.catch(() => {});
  }

  start(): void {
    this.#worker.postMessage('start', []);
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

function orderFor(options: LegOptions, thread: number, phase: SharedArrayBuffer): WorkerOrder {
  const { ca, clientCert, clientKey } = options.credentials;
  const lanes = Array.from({ length: options.connections }, (_, connection) =>
    options.pairs.filter((_pair, index) => index % options.connections === connection),
  ).filter((_lane, connection) => connection % options.threads === thread);
  const seconds = (options.warmUpMs + options.windowMs) / 1000;
  const { bodyBytesMin, bodyBytesMax, checkStamp, sharedKey } = options;
  return {
    ports: nodesOf(options.server).map(({ port }) => port),
    ca,
    clientCert,
    clientKey,
    sharedKey,
    lanes,
    lifecyclesPrepared: Math.ceil((options.lifecyclesPerSecondPrepared * seconds) / options.connections),
    bodyBytesMin,
    bodyBytesMax,
    checkStamp,
    phase,
  };
}

interface Clocks {
  readonly atMs: number;
  readonly serverMicros: number;
  /** Of the first node. */
  readonly threads: readonly ThreadClock[];
  readonly databaseMicros: number;
  readonly generatorMicros: number;
  readonly machineMicros: number;
}

function nodesOf(server: LegOptions['server']): readonly Node[] {
  return [server, ...(server.otherNodes ?? [])];
}

function sumOf(server: LegOptions['server'], figure: (pid: number) => number): number {
  return nodesOf(server).reduce((sum, { pid }) => sum + figure(pid), 0);
}

function readClocks(server: LegOptions['server']): Clocks {
  const { databasePid } = server;
  const own = process.cpuUsage();
  return {
    atMs: performance.now(),
    serverMicros: sumOf(server, cpuMicros),
    threads: threadClocks(server.pid),
    databaseMicros: databasePid === undefined ? 0 : familyCpuMicros(databasePid),
    generatorMicros: own.user + own.system,
    machineMicros: machineCpuMicros(),
  };
}

function summarise(
  options: LegOptions,
  before: Clocks,
  after: Clocks,
  outcomes: readonly Done[],
  cipher: string,
): LegResult {
  const figures = outcomes.flatMap((outcome) => [...outcome.samples]);
  const lifecycles = figures.length / figuresPerSample;
  const seconds = (after.atMs - before.atMs) / 1000;
  const serverMicros = after.serverMicros - before.serverMicros;
  const generatorMicros = after.generatorMicros - before.generatorMicros;
  const databaseMicros = after.databaseMicros - before.databaseMicros;
  const otherMicros = after.machineMicros - before.machineMicros - serverMicros - databaseMicros - generatorMicros;
  const column = (offset: number): number[] => figures.filter((_, index) => index % figuresPerSample === offset);
  const columns = ['lifecycle', ...operations].map((name, offset) => [name, column(offset)] as const);
  const percentiles = (fraction: number): Readonly<Record<string, number | null>> =>
    Object.fromEntries(columns.map(([name, values]) => [name, rounded(percentile(values, fraction))]));
  const serverCoresUsed = serverMicros / 1e6 / seconds;
  return {
    target: options.target,
    lifecycles,
    lifecyclesPerSecond: rounded(lifecycles / seconds, 0) ?? 0,
    serverCpuMicrosPerLifecycle: rounded(serverMicros / lifecycles, 1) ?? 0,
    serverThreadMicrosPerLifecycle: threadShares(before.threads, after.threads, lifecycles),
    serverCoresUsed: rounded(serverCoresUsed) ?? 0,
    ...(options.server.databasePid !== undefined && {
      databaseCpuMicrosPerLifecycle: rounded(databaseMicros / lifecycles, 1) ?? 0,
    }),
    generatorBound: serverCoresUsed + databaseMicros / 1e6 / seconds < generatorBoundBelowCores,
    generatorCpuMicrosPerLifecycle: rounded(generatorMicros / lifecycles, 1) ?? 0,
    otherCoresUsed: rounded(Math.max(0, otherMicros / 1e6 / seconds)) ?? 0,
    serverResidentMiB:
      rounded(
        sumOf(options.server, (pid) => residentMiB(pid).now),
        0,
      ) ?? 0,
    serverResidentPeakMiB:
      rounded(
        sumOf(options.server, (pid) => residentMiB(pid).peak),
        0,
      ) ?? 0,
    p50Ms: percentiles(0.5),
    p99Ms: percentiles(0.99),
    maxMs: rounded(percentile(column(0), 1)),
    tokensMadeLate: outcomes.reduce((sum, outcome) => sum + outcome.tokensMadeLate, 0),
    cipher,
  };
}

/** Threads of one name together; those that did next to nothing are left out. */
function threadShares(
  before: readonly ThreadClock[],
  after: readonly ThreadClock[],
  lifecycles: number,
): Readonly<Record<string, number>> {
  const started = new Map(before.map(({ thread, micros }) => [thread, micros]));
  const byName = new Map<string, number>();
  for (const { thread, name, micros } of after) {
    byName.set(name, (byName.get(name) ?? 0) + micros - (started.get(thread) ?? 0));
  }
  const shares = [...byName].map(([name, micros]) => [name, rounded(micros / lifecycles, 1) ?? 0] as const);
  return Object.fromEntries(shares.filter(([, micros]) => micros >= 0.5));
}
