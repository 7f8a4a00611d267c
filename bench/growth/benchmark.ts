import { statfs } from 'node:fs/promises';
import { makeCredentials } from '../certificates.ts';
import { ClientConnection } from '../client-connection.ts';
import { type NumberFlags, readFlags, UsageError } from '../flags.ts';
import { type LegResult, runLeg } from '../lifecycle/leg.ts';
import type { MailboxPair } from '../lifecycle/operations.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { LargePayload } from '../payload.ts';
import { type ExchangeOptions, ledgerPath, provision, startExchange } from '../server-under-test.ts';
import { median, percentile, rounded } from '../statistics.ts';
import { TokenMaker } from '../token.ts';
import { withServer } from '../with-server.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { bytesPerMessage, loadInbox, loadMessages } from './load-messages.ts';
import { noTimes, probeInbox } from './probe-inbox.ts';
import { measureRestarts } from './restart.ts';

export const growthFlags = {
  messages: { default: 10_000_000, min: 10_000, max: 100_000_000, help: 'stored messages of the last step' },
  connections: { default: 8, min: 1, max: 64, help: 'connections that send, list, download and acknowledge' },
  seconds: { default: 10, min: 1, max: 600, help: 'seconds of each measured window' },
  windows: { default: 3, min: 1, max: 20, help: 'windows at each size' },
  inbox: { default: 500_000, min: 1000, max: 5_000_000, help: 'messages waiting in the full inbox' },
  probes: { default: 2000, min: 100, max: 100_000, help: 'times each inbox is listed, sent to and acknowledged from' },
  restart: {
    default: 0,
    min: 0,
    max: 20,
    help: 'instead of all that: times to kill -9 and start with a million stored',
  },
} as const satisfies NumberFlags;

type Flags = ReturnType<typeof readFlags<typeof growthFlags>>;

export const growthSummary = 'what listing, sending and acknowledging cost as stored and waiting messages grow';

type Figures = Readonly<Record<string, number | null>>;

interface Place {
  readonly flags: Flags;
  readonly exchange: ExchangeOptions;
  readonly credentials: Awaited<ReturnType<typeof makeCredentials>>['texts'];
  readonly lanePairs: readonly MailboxPair[];
  readonly fullInbox: MailboxPair;
  readonly pageInbox: MailboxPair;
  readonly firstAtMs: number;
}

const sizes = [10_000, 1_000_000, 10_000_000, 100_000_000];
const restartMessages = 1_000_000;
const bulkMailboxes = 20_000;
const bodyBytes = 200;
/** As many as one page of a listing holds, so that both inboxes answer the same page. */
const pageWaiting = 500;
const probesATurn = 100;
const fourDaysMs = 4 * 24 * 3_600_000;

/** Loads, measures, loads more, and measures again. */
export async function runGrowth(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, growthFlags);
  return withWorkDirectory(async (directory) => {
    const stored = flags.restart > 0 ? restartMessages : flags.messages + flags.inbox;
    await refuseSmallDisk(directory, stored);
    const { files, texts: credentials } = await makeCredentials(directory);
    const exchange = { directory, credentials: files, sharedKey };
    const pairs = mailboxPairs(flags.connections + 2);
    const [fullInbox, pageInbox, ...lanePairs] = pairs;
    if (fullInbox === undefined || pageInbox === undefined) throw new Error('two inboxes are needed');
    await provision(exchange, mailboxesOf(pairs));
    const firstAtMs = Date.now() - fourDaysMs;
    const place = { flags, exchange, credentials, lanePairs, fullInbox, pageInbox, firstAtMs };
    if (flags.restart > 0) {
      load(place, restartMessages);
      const leg = { ...legOptions(place), pairs: lanePairs };
      return { flags, restart: await measureRestarts(exchange, leg, flags.restart) };
    }
    const growth = await measureStored(place);
    return { flags, stored: growth, waiting: await measureWaiting(place) };
  });
}

async function refuseSmallDisk(directory: string, messages: number): Promise<void> {
  const disk = await statfs(directory);
  const neededGb = (messages * bytesPerMessage * 1.2) / 1e9 + 1;
  const freeGb = (disk.bavail * disk.bsize) / 1e9;
  if (freeGb < neededGb) {
    throw new UsageError(
      `This needs ${rounded(neededGb, 1)} GB free under ${directory} and there are ${rounded(freeGb, 1)}: choose fewer ` +
        '--messages, or another disk with BENCH_DIRECTORY.',
    );
  }
}

function load({ exchange, firstAtMs }: Place, messages: number): void {
  const startedMs = performance.now();
  const plan = { ledgerPath: ledgerPath(exchange.directory), messages, bulkMailboxes, firstAtMs };
  loadMessages(plan, (loaded) => {
    console.error(`loaded ${loaded} of ${messages} after ${rounded((performance.now() - startedMs) / 1000, 0)} s`);
  });
}

function legOptions({ flags, credentials, lanePairs }: Place) {
  return {
    target: 'exchange',
    credentials,
    sharedKey,
    pairs: lanePairs,
    threads: 1,
    connections: flags.connections,
    bodyBytesMin: bodyBytes,
    bodyBytesMax: bodyBytes,
    warmUpMs: 3000,
    windowMs: flags.seconds * 1000,
    lifecyclesPerSecondPrepared: 5000,
    checkStamp: true,
  };
}

interface Step {
  readonly stored: number;
  readonly lifecyclesPerSecond: number | null;
  readonly serverCpuMicrosPerLifecycle: number | null;
  readonly otherCoresUsed: number | null;
  readonly p50Ms: Figures;
  readonly p99Ms: Figures;
}

const measured = ['send', 'list', 'acknowledge', 'download'] as const;

async function measureStored(place: Place): Promise<object> {
  const steps: Step[] = [];
  for (const stored of sizes.filter((size) => size <= place.flags.messages)) {
    load(place, stored);
    const legs = await withServer(startExchange(place.exchange), async (server) => {
      const results: LegResult[] = [];
      for (let window = 0; window < place.flags.windows; window += 1) {
        const { result } = await runLeg({ ...legOptions(place), server });
        console.error(
          `${stored} stored: ${result.lifecyclesPerSecond} lifecycles/s, p99 ${JSON.stringify(result.p99Ms)}`,
        );
        results.push(result);
      }
      return results;
    });
    const of = (figures: (leg: LegResult) => Figures) =>
      Object.fromEntries(
        measured.map((name) => [name, rounded(median(legs.map((leg) => figures(leg)[name] ?? Number.NaN)))]),
      );
    const one = (figure: (leg: LegResult) => number, digits: number) => rounded(median(legs.map(figure)), digits);
    steps.push({
      stored,
      lifecyclesPerSecond: one((leg) => leg.lifecyclesPerSecond, 0),
      serverCpuMicrosPerLifecycle: one((leg) => leg.serverCpuMicrosPerLifecycle, 1),
      otherCoresUsed: one((leg) => leg.otherCoresUsed, 2),
      p50Ms: of((leg) => leg.p50Ms),
      p99Ms: of((leg) => leg.p99Ms),
    });
  }
  const [first, last] = [steps[0], steps.at(-1)];
  const ratio = (figure: (step: Step) => number | null | undefined): number | null =>
    first === undefined || last === undefined ? null : rounded((figure(last) ?? NaN) / (figure(first) ?? NaN));
  return {
    steps,
    p99LastToFirst: Object.fromEntries(measured.map((name) => [name, ratio((step) => step.p99Ms[name])])),
    serverCpuLastToFirst: ratio((step) => step.serverCpuMicrosPerLifecycle),
  };
}

async function measureWaiting(place: Place): Promise<object> {
  const { exchange, firstAtMs, fullInbox, pageInbox, flags } = place;
  const inboxes = [
    { pair: pageInbox, waiting: pageWaiting, series: 1 },
    { pair: fullInbox, waiting: flags.inbox, series: 2 },
  ];
  for (const { pair, waiting, series } of inboxes) {
    const [mailbox, sender] = [pair.recipient.mailbox, pair.sender.mailbox];
    loadInbox({ ledgerPath: ledgerPath(exchange.directory), mailbox, sender, waiting, series, firstAtMs });
  }
  return withServer(startExchange(exchange), async (server) => {
    const target = { port: server.port, credentials: place.credentials, payload: new LargePayload() };
    const connection = await ClientConnection.open(target);
    try {
      const probed = inboxes.map((inbox) => ({ ...inbox, times: noTimes() }));
      // The inboxes take turns, and the first turn of each is not counted: it finds cold caches.
      for (let turn = 0; turn <= flags.probes / probesATurn; turn += 1) {
        for (const { pair, waiting, times } of probed) {
          const tokens = new TokenMaker(sharedKey, Date.now());
          const into = turn === 0 ? noTimes() : times;
          await probeInbox({ connection, tokens, pair, waiting, probes: probesATurn, times: into });
        }
      }
      const results = probed.map(({ waiting, times }) => {
        const of = (fraction: number): Figures =>
          Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, rounded(percentile(ms, fraction))]));
        console.error(`${waiting} waiting: p99 ${JSON.stringify(of(0.99))}`);
        return { waiting, p50Ms: of(0.5), p99Ms: of(0.99) };
      });
      const ratio = (name: string) =>
        rounded((results[1]?.p99Ms[name] ?? Number.NaN) / (results[0]?.p99Ms[name] ?? Number.NaN));
      return {
        inboxes: results,
        p99FullToPage: { list: ratio('list'), send: ratio('send'), acknowledge: ratio('acknowledge') },
      };
    } finally {
      connection.close();
    }
  });
}
