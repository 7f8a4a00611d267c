import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Attendant } from './compose/attendant.ts';
import { makeLog } from './compose/make-log.ts';
import { type ComposedClient, composeClient } from './compose.ts';
import type { Environment } from './config/build-config.ts';
import type { ClientConfig } from './config/config.ts';
import { describeProblem } from './config/raw-settings.ts';
import { allOf } from './folders/staged-moves.ts';
import { SignalFile } from './mailbox/signal-file.ts';
import { Alerts } from './observe/alert.ts';
import type { Log } from './observe/log.ts';
import { LogFile } from './observe/log-file.ts';
import { tellSystemd } from './observe/tell-systemd.ts';
import { clientVersion } from './version.ts';

export interface RunOptions {
  readonly config: ClientConfig;
  readonly env: Environment;
  /** Where log lines go as JSON besides `mesh.log`; undefined for nowhere. */
  readonly stdout: ((text: string) => void) | undefined;
  /** Told once everything is open and the first turns begin. */
  readonly ready: () => void;
}

/** How long what is under way may take to end, once the client is asked to stop. */
const graceMs = 10_000;
const signalLookMs = 1000;

/** Runs until SIGTERM, SIGINT or the signal file. Throws LockedByAnother, and what composing throws. */
export async function runClient({ config, env, stdout, ready }: RunOptions): Promise<void> {
  const startedMs = Date.now();
  mkdirSync(config.signalPath, { recursive: true });
  using file = new LogFile({
    folder: config.logPath,
    bytesMax: config.logFileMebibytes,
    filesKept: config.logFilesKept,
  });
  const plain = makeLog(file, stdout);
  const alerts = new Alerts(config.alertCommand, Date.now, (code) => {
    const text = `The alert command could not be started (${code})`;
    plain({ level: 'error', event: 'alert-failed', component: 'MeshClient', text });
  });
  const log: Log = (line) => {
    plain(line);
    if (line.level === 'error') alerts.raise(line.event, line.mailbox, line.text);
  };
  sayStart(config, log);
  using client = composeClient(config, env, log);
  const signalFile = await SignalFile.in(config.signalPath, startedMs);
  const soon = new AbortController();
  const now = new AbortController();
  const attendant = new Attendant({ config, env, client, log, startedMs });
  const releaseSignals = onSignals(() => soon.abort());
  try {
    await attendant.begin();
    const failed = workAll(client, { soon, now: now.signal }).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    void failed.then(() => soon.abort());
    const watching = watchSignalFile(signalFile, soon);
    await tellSystemd('READY=1', env['NOTIFY_SOCKET']);
    ready();
    await watching;
    log({ level: 'info', event: 'stopping', component: 'MeshClient', text: 'Stopping' });
    await tellSystemd('STOPPING=1', env['NOTIFY_SOCKET']);
    const grace = setTimeout(() => now.abort(), graceMs);
    const failure = await failed;
    clearTimeout(grace);
    if (failure !== undefined) throw failure.error;
    log({ level: 'info', event: 'stopped', component: 'MeshClient', text: 'Stopped' });
  } finally {
    releaseSignals();
    attendant.end();
  }
}

/**
 * Resolves when every mailbox has ended, for until then they need journal and connections. A mailbox that another process
 * holds ends them all: two clients on one folder must never be.
 */
async function workAll(
  { workers }: ComposedClient,
  { soon, now }: { readonly soon: AbortController; readonly now: AbortSignal },
): Promise<void> {
  const running = workers.map((worker) =>
    worker.run({ soon: soon.signal, now }).catch((error: unknown) => {
      soon.abort();
      throw error;
    }),
  );
  await allOf(running);
}

function onSignals(stop: () => void): () => void {
  const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  for (const name of names) process.on(name, stop);
  return () => {
    for (const name of names) process.off(name, stop);
  };
}

/** Resolves when somebody wants the client to stop, in whatever way. */
async function watchSignalFile(file: SignalFile, soon: AbortController): Promise<void> {
  while (!soon.signal.aborted) {
    if (await file.take()) soon.abort();
    await pause(signalLookMs, undefined, { signal: soon.signal }).catch(() => undefined);
  }
}

/** What the Java client said when it started, and operators look for. */
function sayStart(config: ClientConfig, log: Log): void {
  const lines = [
    `openmesh-client ${clientVersion}`,
    `Primary URL:${config.url}`,
    `Client Count:${config.mailboxes.length}`,
    `Polling Period:${config.pollPeriodMs / 60_000} (minutes)`,
    `Maximum Concurrent Connections:${config.maxConnections}`,
  ];
  for (const text of lines) log({ level: 'info', event: 'starting', component: 'MeshClient', text });
  for (const warning of config.warnings) {
    log({ level: 'warn', event: 'configuration-warning', component: 'MeshClient', text: describeProblem(warning) });
  }
}
