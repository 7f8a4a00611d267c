import { setTimeout as sleep } from 'node:timers/promises';
import { type Credentials, makeCredentials } from '../certificates.ts';
import { ClientConnection } from '../client-connection.ts';
import { type NumberFlags, readFlags } from '../flags.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { LargePayload } from '../payload.ts';
import { cpuMicros, residentMiB } from '../process-usage.ts';
import { provision, type RunningServer, startExchange } from '../server-under-test.ts';
import { percentile, rounded } from '../statistics.ts';
import { type Caller, TokenMaker } from '../token.ts';
import { withServer } from '../with-server.ts';
import { withWorkDirectory } from '../work-directory.ts';

export const idleFlags = {
  connections: { default: 2000, min: 100, max: 20_000, help: 'idle mutual TLS connections' },
  'polls-per-second': { default: 73, min: 1, max: 10_000, help: '22,000 mailboxes every 5 minutes are 73' },
  seconds: { default: 30, min: 1, max: 110, help: 'seconds of polling, kept alive and then with a handshake each' },
} as const satisfies NumberFlags;

type Flags = ReturnType<typeof readFlags<typeof idleFlags>>;

export const idleSummary = 'memory of idle connections, and CPU of mailboxes that only poll';

const activeMailboxes = 22_000;
const pollEverySeconds = 300;
const settleMs = 5000;
const openAtOnce = 50;

interface Poller {
  readonly connection: ClientConnection;
  readonly mailbox: Caller;
}

/** Opens half the connections, then the rest, then polls over them, then polls with a connection each. */
export async function runIdle(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, idleFlags);
  return withWorkDirectory(async (directory) => {
    const { files, texts: credentials } = await makeCredentials(directory);
    const mailboxes = mailboxesOf(mailboxPairs(Math.ceil(flags.connections / 2)));
    const exchange = { directory, credentials: files, sharedKey };
    await provision(exchange, mailboxes);
    return withServer(startExchange(exchange), async (server) => {
      const pollers: Poller[] = [];
      try {
        return await measure(flags, server, credentials, mailboxes, pollers);
      } finally {
        for (const { connection } of pollers) connection.close();
      }
    });
  });
}

async function measure(
  flags: Flags,
  server: RunningServer,
  credentials: Credentials,
  mailboxes: readonly Caller[],
  pollers: Poller[],
): Promise<object> {
  const tokens = new TokenMaker(sharedKey, Date.now());
  const payload = new LargePayload();
  const open = () => ClientConnection.open({ port: server.port, credentials, payload, readBufferBytes: 4096 });
  const grow = async (to: number): Promise<number> => {
    while (pollers.length < to) {
      const next = mailboxes.slice(pollers.length, Math.min(to, pollers.length + openAtOnce));
      const opened = await Promise.all(next.map(async (mailbox) => ({ connection: await open(), mailbox })));
      for (const poller of opened) await poll(poller, tokens);
      pollers.push(...opened);
    }
    await sleep(settleMs);
    return residentMiB(server.pid).now;
  };
  // The first half pays for what the process allocates once; the second half shows what a connection costs.
  const half = flags.connections >> 1;
  const halfMiB = await grow(half);
  const fullMiB = await grow(flags.connections);
  const perConnectionKiB = ((fullMiB - halfMiB) * 1024) / (flags.connections - half);
  console.error(`${flags.connections} idle connections: ${rounded(fullMiB, 0)} MiB resident`);
  const keptAlive = await pollFor(flags, server, async (number) => {
    const poller = pollers[number % pollers.length];
    if (poller !== undefined) await poll(poller, tokens);
  });
  const reconnecting = await pollFor(flags, server, async (number) => {
    const mailbox = mailboxes[number % mailboxes.length];
    if (mailbox === undefined) return;
    const connection = await open();
    await poll({ connection, mailbox }, tokens);
    connection.close();
  });
  return {
    flags,
    residentMiB: { halfOpen: rounded(halfMiB, 1), allOpen: rounded(fullMiB, 1) },
    perConnectionKiB: rounded(perConnectionKiB, 1),
    scaledTo22000ConnectionsMiB: rounded((perConnectionKiB * activeMailboxes) / 1024, 0),
    polling: { keptAlive, reconnecting },
  };
}

async function poll({ connection, mailbox }: Poller, tokens: TokenMaker): Promise<void> {
  const answer = await connection.ask(
    `GET /messageexchange/${mailbox.mailbox}/inbox HTTP/1.1\r\nhost: localhost\r\n` +
      `accept: application/vnd.mesh.v2+json\r\nauthorization: ${tokens.make(mailbox)}\r\n`,
  );
  if (answer.status !== 200 || !answer.text.includes('"approx_inbox_count":0')) {
    throw new Error(`a poll answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  }
}

async function pollFor(flags: Flags, server: RunningServer, ask: (number: number) => Promise<void>): Promise<object> {
  const perSecond = flags['polls-per-second'];
  const total = perSecond * flags.seconds;
  const times: number[] = [];
  const running: Promise<void>[] = [];
  const [startedMs, before] = [performance.now(), cpuMicros(server.pid)];
  for (let number = 0; number < total; number += 1) {
    await sleep(Math.max(0, startedMs + (number * 1000) / perSecond - performance.now()));
    const askedMs = performance.now();
    running.push(ask(number).then(() => void times.push(performance.now() - askedMs)));
  }
  await Promise.all(running);
  const seconds = (performance.now() - startedMs) / 1000;
  const micros = cpuMicros(server.pid) - before;
  const coresFor22000 = ((micros / total) * (activeMailboxes / pollEverySeconds)) / 1e6;
  return {
    polls: total,
    pollsPerSecond: rounded(total / seconds, 1),
    serverCpuMicrosPerPoll: rounded(micros / total, 0),
    serverCoresUsed: rounded(micros / 1e6 / seconds, 3),
    serverCoresFor22000Mailboxes: rounded(coresFor22000, 3),
    p50Ms: rounded(percentile(times, 0.5)),
    p99Ms: rounded(percentile(times, 0.99)),
  };
}
