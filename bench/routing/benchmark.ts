import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CredentialFiles, type Credentials, makeCredentials } from '../certificates.ts';
import { type NumberFlags, readFlags } from '../flags.ts';
import { type LegResult, runLeg } from '../lifecycle/leg.ts';
import type { MailboxPair } from '../lifecycle/operations.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { smallBodyBytesMax } from '../payload.ts';
import { importFile, provision, type RunningServer, startExchange } from '../server-under-test.ts';
import { median, medianInterval, rounded } from '../statistics.ts';
import { withServer } from '../with-server.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { registryLines } from './registry-lines.ts';

export const routingFlags = {
  rules: { default: 10_000, min: 0, max: 1_000_000, help: 'copy and redirect rules' },
  mailboxes: { default: 22_000, min: 100, max: 1_000_000, help: 'mailboxes in the registry' },
  registrations: { default: 150_000, min: 0, max: 2_000_000, help: 'registrations for workflows' },
  connections: { default: 64, min: 1, max: 4096, help: 'keep-alive connections' },
  'warm-up': { default: 1, min: 1, max: 600, help: 'seconds before each measured window' },
  seconds: { default: 2, min: 1, max: 3600, help: 'seconds of each measured window' },
  rounds: { default: 24, min: 2, max: 500, help: 'pairs of legs, one against each registry' },
} as const satisfies NumberFlags;

export const routingSummary = 'the lifecycle with a full registry and rules loaded, beside an almost empty one';

type Flags = ReturnType<typeof readFlags<typeof routingFlags>>;

/** Two exchanges at once, asked in turn: one that knows the benchmark's mailboxes only, one with everything loaded. */
export async function runRouting(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, routingFlags);
  const pairs = mailboxPairs(Math.max(128, flags.connections));
  return withWorkDirectory((plain) =>
    withWorkDirectory(async (loaded) => {
      const { files, texts } = await makeCredentials(plain);
      await provision({ directory: plain, credentials: files, sharedKey }, mailboxesOf(pairs));
      const loadSeconds = await load(loaded, files, flags, pairs);
      return withServer(startExchange({ directory: plain, credentials: files, sharedKey }), (without) =>
        withServer(startExchange({ directory: loaded, credentials: files, sharedKey }), async (withRules) => {
          const legs = await alternate(flags, texts, pairs, { without, with: withRules });
          return compare(flags, loadSeconds, legs);
        }),
      );
    }),
  );
}

/** Seconds that the exchange's own import takes for the registry. */
async function load(
  directory: string,
  credentials: CredentialFiles,
  flags: Flags,
  pairs: readonly MailboxPair[],
): Promise<number | null> {
  const options = { directory, credentials, sharedKey };
  await provision(options, mailboxesOf(pairs));
  const file = join(directory, 'registry.ndjson');
  const lines = [...registryLines(flags, pairs)].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(file, lines.join(''));
  const startedMs = performance.now();
  await importFile(options, file, ['--trust-approvals']);
  return rounded((performance.now() - startedMs) / 1000, 1);
}

async function alternate(
  flags: Flags,
  credentials: Credentials,
  pairs: readonly MailboxPair[],
  servers: Readonly<Record<string, RunningServer>>,
): Promise<LegResult[]> {
  const legs: LegResult[] = [];
  for (let round = 1; round <= flags.rounds; round += 1) {
    // Each comes first as often as the other: what wanes or grows through a pair takes from both alike.
    const pair = Object.entries(servers);
    if (round % 2 === 0) pair.reverse();
    for (const [target, server] of pair) {
      const { result } = await runLeg({
        credentials,
        sharedKey,
        threads: 1,
        connections: flags.connections,
        bodyBytesMin: 1024,
        bodyBytesMax: smallBodyBytesMax,
        warmUpMs: flags['warm-up'] * 1000,
        windowMs: flags.seconds * 1000,
        lifecyclesPerSecondPrepared: 4000,
        target,
        server,
        pairs,
        checkStamp: true,
      });
      console.error(
        `round ${round}/${flags.rounds} ${target} rules: ${result.lifecyclesPerSecond} lifecycles/s, ` +
          `${result.serverCpuMicrosPerLifecycle} µs of server CPU`,
      );
      legs.push(result);
    }
  }
  return legs;
}

function compare(flags: Flags, loadSeconds: number | null, legs: readonly LegResult[]): object {
  const of = (target: string, figure: (leg: LegResult) => number): number =>
    median(legs.filter((leg) => leg.target === target).map(figure));
  const summary = (target: string) => ({
    lifecyclesPerSecond: rounded(
      of(target, (leg) => leg.lifecyclesPerSecond),
      0,
    ),
    serverCpuMicrosPerLifecycle: rounded(
      of(target, (leg) => leg.serverCpuMicrosPerLifecycle),
      1,
    ),
    serverResidentPeakMiB: rounded(
      of(target, (leg) => leg.serverResidentPeakMiB),
      0,
    ),
    otherCoresUsed: rounded(of(target, (leg) => leg.otherCoresUsed)),
    p99Ms: rounded(of(target, (leg) => leg.p99Ms.lifecycle ?? Number.NaN)),
  });
  const cpuOf = (target: string): number[] =>
    legs.filter((leg) => leg.target === target).map((leg) => leg.serverCpuMicrosPerLifecycle);
  const without = cpuOf('without');
  // Of each pair, whose legs followed each other, and not of the medians: what disturbs comes and goes.
  const ratios = cpuOf('with').map((cpu, pair) => cpu / (without[pair] ?? Number.NaN));
  const { low, high } = medianInterval(ratios);
  return {
    flags,
    loadSeconds,
    without: summary('without'),
    with: summary('with'),
    cpuRatio: rounded(median(ratios), 3),
    cpuRatioInterval95: [rounded(low, 3), rounded(high, 3)],
    cpuRatios: ratios.map((ratio) => rounded(ratio, 3)),
    legs,
  };
}
