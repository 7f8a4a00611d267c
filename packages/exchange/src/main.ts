import { tuneCollector } from './compose/garbage.ts';
import { createStopRequests } from './compose/stop-requests.ts';
import { tellSystemd } from './compose/tell-systemd.ts';
import { type ComposeOptions, type RunningExchange, startExchange } from './compose.ts';
import type { Config } from './config/config.ts';
import { readNotifySocket } from './config/env.ts';
import { createLog, type Log } from './http/log.ts';
import { holdForServing } from './store/sql/sqlite/serving-lock.ts';

/** How a served exchange ended: the process's exit code. */
export const endings = {
  /** Stopped by a signal, everything in flight finished. */
  stopped: 0,
  /** It could not start. */
  notStarted: 1,
  /** Stopped by a signal, but the time was up before everything had finished. */
  cutShort: 3,
  /** The ledger failed a write or a flush: start again, and it recovers. */
  ledgerBroken: 74,
} as const;

export interface ServeOptions extends Omit<ComposeOptions, 'log' | 'onBroken'> {
  /** A log on standard output that begins with the configuration, unless the caller brings its own. */
  readonly log?: Log;
  /** Told once, when the doors are open. When it rejects, the exchange is stopped and the rejection passed on. */
  readonly ready: (running: RunningExchange, config: Config) => Promise<void> | void;
}

/**
 * Starts an exchange, waits for SIGINT, SIGTERM or a broken ledger, stops it. Resolves to the exit code; rejects when it
 * cannot start.
 */
export async function serveUntilStopped(options: ServeOptions): Promise<number> {
  const { config } = options;
  using _held = config.ledger.engine === 'sqlite' ? holdForServing(config.ledger.path) : undefined;
  tuneCollector();
  const log = options.log ?? openLog(config);
  const ending = Promise.withResolvers<number>();
  const stoppedEarly = Promise.withResolvers<undefined>();
  const socket = readNotifySocket();
  let running: RunningExchange | undefined;
  let letGo = true;
  const finish = async (exchange: RunningExchange): Promise<void> => {
    try {
      const outcome = await exchange.stop();
      letGo &&= outcome.letGo;
      ending.resolve(outcome.ended === 'finished' ? endings.stopped : endings.cutShort);
    } catch (error) {
      ending.reject(error);
    }
  };
  // From the first moment on: the first process of a container is told nothing that it does not listen for.
  const stopListening = listenForStops((signal) => {
    log.info('signal', { signal });
    void tellSystemd('STOPPING=1', socket);
    if (running === undefined) stoppedEarly.resolve(undefined);
    else void finish(running);
  });
  try {
    const onBroken = (): void => {
      log.error('ledger-broken', new Error('the ledger failed a write or a flush'));
      letGo = false;
      ending.resolve(endings.ledgerBroken);
    };
    running = await Promise.race([startExchange({ ...options, log, onBroken }), stoppedEarly.promise]);
    if (running === undefined) {
      // Nobody was served, and a start that was cut off is safe: what it waits for, such as a database, may never come.
      letGo = false;
      ending.resolve(endings.stopped);
    } else {
      log.info('ready', { port: running.machinesPort, profile: config.profile });
      await options.ready(running, config);
      await tellSystemd('READY=1', socket);
    }
  } catch (error) {
    await running?.stop();
    stopListening();
    throw error;
  }
  const code = await ending.promise;
  stopListening();
  log.info('ended', { status: code });
  await log.flush();
  // Waiting for what hangs on a broken ledger, or on a database that answers nothing, would keep a dead service up.
  if (!letGo) process.exit(code);
  return code;
}

/** Hands over each request to stop once, until the function that it answers is called. */
function listenForStops(stop: (signal: NodeJS.Signals) => void): () => void {
  const isNew = createStopRequests(() => performance.now());
  const heard = (signal: NodeJS.Signals): void => {
    if (isNew()) stop(signal);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, heard);
  // Comes when a launcher started us: its end must be ours.
  const launcherGone = (): void => heard('SIGHUP');
  process.once('disconnect', launcherGone);
  return () => {
    for (const signal of signals) process.off(signal, heard);
    // Whoever listens for it keeps the launcher's channel open, and with it this process.
    process.off('disconnect', launcherGone);
  };
}

function openLog(config: Config): Log {
  const log = createLog(config.log);
  log.config(config);
  return log;
}
