import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Credentials, makeCredentials } from '../certificates.ts';
import { type NumberFlags, readFlags, UsageError } from '../flags.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { smallBodyBytesMax } from '../payload.ts';
import {
  baselineCheckout,
  baselineSettings,
  provision,
  type RunningServer,
  startExchange,
} from '../server-under-test.ts';
import { median, rounded } from '../statistics.ts';
import { withServer } from '../with-server.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { type LegOptions, type LegOutcome, type LegResult, runLeg } from './leg.ts';
import { type MailboxPair, operations } from './operations.ts';
import { withPostgresExchange } from './postgres-exchange.ts';
import { specimenAnswers, startEcho } from './start-echo.ts';

export const lifecycleFlags = {
  connections: { default: 64, min: 1, max: 4096, help: 'keep-alive connections' },
  mailboxes: { default: 256, min: 2, max: 20_000, help: 'mailboxes, half of them senders; at least 2 a connection' },
  threads: { default: 1, min: 1, max: 16, help: 'generator threads' },
  'bytes-min': { default: 1024, min: 64, max: smallBodyBytesMax, help: 'smallest body' },
  'bytes-max': { default: smallBodyBytesMax, min: 64, max: smallBodyBytesMax, help: 'largest body' },
  'warm-up': { default: 3, min: 1, max: 600, help: 'seconds before each measured window' },
  seconds: { default: 10, min: 1, max: 3600, help: 'seconds of each measured window' },
  rounds: { default: 3, min: 1, max: 50, help: 'legs against each server, in turn' },
  prepare: {
    default: 9000,
    min: 0,
    max: 100_000,
    help: 'lifecycles/s for which tokens are made before the clock starts',
  },
  nodes: {
    default: 1,
    min: 1,
    max: 8,
    help: 'with --ledger postgres: more than 1 measures so many nodes on one PostgreSQL as well',
  },
  'echo-only': {
    default: 0,
    min: 0,
    max: 1,
    help: '1: measure the echo against itself, to see how steady the machine is',
  },
} as const satisfies NumberFlags;

type Flags = ReturnType<typeof readFlags<typeof lifecycleFlags>>;

/** The national service carries this many messages a month. */
const nationalMonthMessages = 60e6;

export const lifecycleSummary =
  'send, list, download and acknowledge small messages; the exchange beside a bare echo server; ' +
  '--ledger postgres: also on a PostgreSQL of its own (Debian: postgresql-15)';

/** Interleaves legs against the echo server and the exchange and compares their medians. */
export async function runLifecycle(args: readonly string[]): Promise<object> {
  const { ledger, others } = readLedger(args);
  const flags = readFlags(others, lifecycleFlags);
  const pairs = mailboxPairs(flags.mailboxes >> 1);
  if (pairs.length < flags.connections) throw new UsageError('--mailboxes must be at least twice --connections.');
  if (flags['bytes-min'] > flags['bytes-max']) throw new UsageError('--bytes-min must not exceed --bytes-max.');
  return withWorkDirectory((directory) => runLegs(flags, pairs, directory, ledger));
}

async function runLegs(
  flags: Flags,
  pairs: readonly MailboxPair[],
  directory: string,
  ledger: LedgerChoice,
): Promise<object> {
  const { files, texts: credentials } = await makeCredentials(directory);
  const leg = (target: string, server: RunningServer, shortened = false): Promise<LegOutcome> =>
    runLeg({
      ...legOptions(flags, credentials),
      ...(shortened ? { warmUpMs: 500, windowMs: 500 } : {}),
      target,
      server,
      pairs,
      checkStamp: !target.startsWith('echo'),
    });

  if (flags['echo-only'] === 1) {
    return withServer(startEcho({ ...credentials, answers: specimenAnswers() }), async (echo) => {
      const legs = await alternate(flags.rounds, leg, { echo, 'echo-again': echo });
      return compare(flags, legs, 'echo-again');
    });
  }
  const options = { directory, credentials: files, sharedKey };
  await provision(options, mailboxesOf(pairs));
  return withServer(startExchange(options), async (server) => {
    // The echo repeats what the exchange really answers, so the exchange is asked first.
    const { answers } = await leg('exchange', server, true);
    return withServer(startEcho({ ...credentials, answers }), async (echo) => {
      if (ledger === 'postgres') {
        const inDatabase = { ...options, directory: join(directory, 'postgres') };
        return withPostgresExchange(inDatabase, flags.nodes, mailboxesOf(pairs), async ([postgres, ...otherNodes]) => {
          if (postgres === undefined) throw new Error('no node was started');
          const several = otherNodes.length > 0 ? { 'postgres-nodes': { ...postgres, otherNodes } } : {};
          const legs = await alternate(flags.rounds, leg, { echo, exchange: server, postgres, ...several });
          return { ...compare(flags, legs, 'exchange'), ...compareLedgers(legs), ...compareNodes(legs) };
        });
      }
      if (baselineCheckout === undefined) {
        return compare(flags, await alternate(flags.rounds, leg, { echo, exchange: server }), 'exchange');
      }
      const place = { directory: join(directory, 'baseline'), checkout: baselineCheckout };
      const beside = { ...options, ...place, settings: baselineSettings };
      mkdirSync(beside.directory);
      await provision(beside, mailboxesOf(pairs));
      return withServer(startExchange(beside), async (baseline) => {
        const legs = await alternate(flags.rounds, leg, { echo, baseline, exchange: server });
        return { ...compare(flags, legs, 'exchange'), baseline: summaryOf(legs, 'baseline') };
      });
    });
  });
}

function legOptions(
  flags: Flags,
  credentials: Credentials,
): Omit<LegOptions, 'target' | 'server' | 'pairs' | 'checkStamp'> {
  return {
    credentials,
    sharedKey,
    threads: flags.threads,
    connections: flags.connections,
    bodyBytesMin: flags['bytes-min'],
    bodyBytesMax: flags['bytes-max'],
    warmUpMs: flags['warm-up'] * 1000,
    windowMs: flags.seconds * 1000,
    lifecyclesPerSecondPrepared: flags.prepare,
  };
}

async function alternate(
  rounds: number,
  leg: (target: string, server: RunningServer) => Promise<LegOutcome>,
  servers: Readonly<Record<string, RunningServer>>,
): Promise<LegResult[]> {
  const results: LegResult[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [target, server] of Object.entries(servers)) {
      const { result } = await leg(target, server);
      console.error(
        `round ${round}/${rounds} ${target}: ${result.lifecyclesPerSecond} lifecycles/s, ` +
          `${result.serverCpuMicrosPerLifecycle} µs of server CPU, p99 ${result.p99Ms.lifecycle} ms`,
      );
      results.push(result);
    }
  }
  return results;
}

type LedgerChoice = 'sqlite' | 'postgres';

/** `--ledger postgres` measures the exchange on a PostgreSQL as well, beside the one on its own file. */
function readLedger(args: readonly string[]): { readonly ledger: LedgerChoice; readonly others: readonly string[] } {
  const at = args.indexOf('--ledger');
  if (at < 0) return { ledger: 'sqlite', others: args };
  const ledger = args[at + 1];
  if (ledger !== 'sqlite' && ledger !== 'postgres') throw new UsageError('--ledger must be sqlite or postgres.');
  return { ledger, others: args.toSpliced(at, 2) };
}

function throughputOf(leg: LegResult): number {
  return leg.lifecyclesPerSecond;
}

function compareLedgers(legs: readonly LegResult[]): object {
  const of = (target: string, figure: (leg: LegResult) => number): number => medianOf(legs, target, figure);
  const databaseMicros = of('postgres', (leg) => leg.databaseCpuMicrosPerLifecycle ?? 0);
  return {
    postgres: { ...summaryOf(legs, 'postgres'), databaseCpuMicrosPerLifecycle: rounded(databaseMicros, 1) },
    ofSqliteThroughput: rounded(of('postgres', throughputOf) / of('exchange', throughputOf)),
  };
}

function compareNodes(legs: readonly LegResult[]): object {
  if (!legs.some(({ target }) => target === 'postgres-nodes')) return {};
  const of = (target: string): number => medianOf(legs, target, throughputOf);
  return {
    postgresNodes: summaryOf(legs, 'postgres-nodes'),
    ofOneNodeThroughput: rounded(of('postgres-nodes') / of('postgres')),
  };
}

function medianOf(legs: readonly LegResult[], target: string, figure: (leg: LegResult) => number): number {
  return median(legs.filter((leg) => leg.target === target).map(figure));
}

function summaryOf(legs: readonly LegResult[], target: string) {
  const of = (figure: (leg: LegResult) => number): number => medianOf(legs, target, figure);
  const threads = new Set(
    legs.flatMap((leg) => (leg.target === target ? Object.keys(leg.serverThreadMicrosPerLifecycle) : [])),
  );
  const byThread = [...threads].map((name) => [name, of((leg) => leg.serverThreadMicrosPerLifecycle[name] ?? 0)]);
  return {
    lifecyclesPerSecond: rounded(
      of((leg) => leg.lifecyclesPerSecond),
      0,
    ),
    serverCpuMicrosPerLifecycle: rounded(
      of((leg) => leg.serverCpuMicrosPerLifecycle),
      1,
    ),
    serverThreadMicrosPerLifecycle: Object.fromEntries(byThread),
    serverCoresUsed: rounded(of((leg) => leg.serverCoresUsed)),
    serverResidentPeakMiB: rounded(
      of((leg) => leg.serverResidentPeakMiB),
      0,
    ),
    generatorCpuMicrosPerLifecycle: rounded(
      of((leg) => leg.generatorCpuMicrosPerLifecycle),
      1,
    ),
    otherCoresUsed: rounded(of((leg) => leg.otherCoresUsed)),
    p50Ms: rounded(of((leg) => leg.p50Ms.lifecycle ?? Number.NaN)),
    p99Ms: rounded(of((leg) => leg.p99Ms.lifecycle ?? Number.NaN)),
    requestP99Ms: rounded(of((leg) => Math.max(...operations.map((name) => leg.p99Ms[name] ?? Number.NaN)))),
    generatorBound: legs.some((leg) => leg.target === target && leg.generatorBound),
  };
}

function compare(flags: Flags, legs: readonly LegResult[], measured: string): object {
  const of = (target: string, figure: (leg: LegResult) => number): number => medianOf(legs, target, figure);
  const [echo, server] = [summaryOf(legs, 'echo'), summaryOf(legs, measured)];
  const perSecond = of(measured, (leg) => leg.lifecyclesPerSecond);
  return {
    flags,
    echo,
    [measured]: server,
    cpuRatio: rounded(
      of(measured, (leg) => leg.serverCpuMicrosPerLifecycle) / of('echo', (leg) => leg.serverCpuMicrosPerLifecycle),
    ),
    // A leg whose server was not busy says how fast the generator is, so the ratio would mean nothing.
    throughputRatio:
      echo.generatorBound || server.generatorBound
        ? null
        : rounded(perSecond / of('echo', (leg) => leg.lifecyclesPerSecond)),
    nationalMonthHours: rounded(nationalMonthMessages / perSecond / 3600, 1),
    legs,
  };
}
