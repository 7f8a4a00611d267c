import { endOnSignals } from './at-exit.ts';
import { clientFlags, clientSummary, runClient } from './client/benchmark.ts';
import { coldStartFlags, coldStartSummary, runColdStart } from './cold-start.ts';
import { directoryFlags, directorySummary, runDirectory } from './directory/benchmark.ts';
import { describeFlags, type NumberFlags, UsageError } from './flags.ts';
import { growthFlags, growthSummary, runGrowth } from './growth/benchmark.ts';
import { idleFlags, idleSummary, runIdle } from './idle/benchmark.ts';
import { largeFlags, largeSummary, runLarge } from './large/benchmark.ts';
import { largeS3Flags, largeS3Summary, runLargeS3 } from './large-s3/benchmark.ts';
import { ledgerFlags, ledgerSummary, runLedger } from './ledger/benchmark.ts';
import { lifecycleFlags, lifecycleSummary, runLifecycle } from './lifecycle/benchmark.ts';
import { describeMachine } from './machine.ts';
import { registryFlags, registrySummary, runRegistry } from './registry/benchmark.ts';
import { restartFlags, restartSummary, runRestart } from './restart/benchmark.ts';
import { routingFlags, routingSummary, runRouting } from './routing/benchmark.ts';
import { runSdk, sdkFlags, sdkSummary } from './sdk/benchmark.ts';

interface Benchmark {
  readonly summary: string;
  readonly flags: NumberFlags;
  /** Resolves with the figures; rejects when a server gave a wrong answer. */
  readonly run: (args: readonly string[]) => Promise<object>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  lifecycle: { summary: lifecycleSummary, flags: lifecycleFlags, run: runLifecycle },
  ledger: { summary: ledgerSummary, flags: ledgerFlags, run: runLedger },
  large: { summary: largeSummary, flags: largeFlags, run: runLarge },
  'large-s3': { summary: largeS3Summary, flags: largeS3Flags, run: runLargeS3 },
  growth: { summary: growthSummary, flags: growthFlags, run: runGrowth },
  idle: { summary: idleSummary, flags: idleFlags, run: runIdle },
  routing: { summary: routingSummary, flags: routingFlags, run: runRouting },
  registry: { summary: registrySummary, flags: registryFlags, run: runRegistry },
  client: { summary: clientSummary, flags: clientFlags, run: runClient },
  sdk: { summary: sdkSummary, flags: sdkFlags, run: runSdk },
  directory: { summary: directorySummary, flags: directoryFlags, run: runDirectory },
  restart: { summary: restartSummary, flags: restartFlags, run: runRestart },
  'cold-start': { summary: coldStartSummary, flags: coldStartFlags, run: runColdStart },
};

function help(name: string | undefined): string {
  const benchmark = name === undefined ? undefined : benchmarks[name];
  if (name !== undefined && benchmark !== undefined) {
    return `npm run bench -- ${name} [--flags]\n\n${benchmark.summary}\n\n${describeFlags(benchmark.flags)}\n`;
  }
  const list = Object.entries(benchmarks).map(([each, { summary }]) => `  ${each.padEnd(10)} ${summary}`);
  return [
    'npm run bench -- NAME [--flags]      figures as JSON on stdout, progress on stderr',
    'npm run bench -- NAME --help         the flags of one benchmark',
    '',
    ...list,
    '',
  ].join('\n');
}

/** `large --bodies s3` is a benchmark of its own, with its own opponents. */
function withStoreInName(args: readonly string[]): readonly string[] {
  const [name, flag, store, ...rest] = args;
  return flag === '--bodies' && name !== undefined && store !== undefined ? [`${name}-${store}`, ...rest] : args;
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = withStoreInName(args);
  if (name === undefined || name === '--help' || rest.includes('--help')) {
    process.stdout.write(help(name));
    return name === undefined ? 2 : 0;
  }
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (benchmark === undefined) throw new UsageError(`There is no benchmark "${name}".\n${help(undefined)}`);
  const figures = await benchmark.run(rest);
  const result = { benchmark: name, at: new Date().toISOString(), machine: describeMachine(), ...figures };
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  return 0;
}

endOnSignals();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
