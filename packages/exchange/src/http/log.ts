import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type DestinationStream, pino } from 'pino';
import type { Config } from '../config/config.ts';
import { describeConfig } from '../config/describe-config.ts';
import { describeError, type LogFields, permittedFields } from './log-fields.ts';
import type { Operation } from './operation.ts';

/** One answered request. Made of codes, ids and numbers; what the caller wrote is not in it. */
export interface RequestLogLine {
  readonly correlationId: string;
  readonly operation: Operation;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly address?: string;
  /** Only of a mailbox the registry knows. */
  readonly mailbox?: string;
  /** Only of a message the ledger knows. */
  readonly messageId?: string;
  readonly chunkNumber?: number;
  readonly certificateSerial?: string;
  /** The stable code of the refusal. */
  readonly reason?: string;
}

export interface Log {
  /** Whether requests that succeeded are written: ask before making a line, so that a silent log costs nothing. */
  readonly writesSuccesses: boolean;
  /** At debug below status 400, at info below 500, at error from there on. */
  request(line: RequestLogLine): void;
  debug(event: EventName, fields?: LogFields): void;
  info(event: EventName, fields?: LogFields): void;
  warn(event: EventName, fields?: LogFields): void;
  error(event: EventName, error: unknown, fields?: LogFields): void;
  /** The configuration in force, masked. */
  config(config: Config): void;
  /** Lines lost because too much waited for the reader. */
  readonly linesDropped: number;
  /** Writes what waits, before the process ends. */
  flush(): void;
}

/** Lower case words joined by hyphens, written in the code and never made from input. */
export type EventName = Lowercase<string>;

const waitingBytesMax = 8 * 1024 * 1024;
const eventShape = /^[a-z0-9]+(-[a-z0-9]+){0,9}$/;

/**
 * A structured log, one JSON object a line. Lines are written without waiting for the reader: when more than 8 MiB
 * wait, further lines are dropped, because a stopped log reader must not stop the exchange.
 * @param destination standard output unless given
 */
export function createLog(config: Config['log'], destination: DestinationStream = openDestination(1)): Log {
  let linesDropped = 0;
  if (destination instanceof EventEmitter) {
    destination.on('drop', () => {
      linesDropped += 1;
    });
  }
  const logger = pino(
    {
      level: config.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const write = (level: 'debug' | 'info' | 'warn' | 'error', event: string, content: object): void => {
    logger[level]({ event: eventShape.test(event) ? event : '*', ...content });
  };
  const wanted = {
    debug: logger.isLevelEnabled('debug'),
    info: logger.isLevelEnabled('info'),
    error: logger.isLevelEnabled('error'),
  };
  return {
    writesSuccesses: wanted.debug,
    request(line) {
      const level = line.status < 400 ? 'debug' : line.status < 500 ? 'info' : 'error';
      if (wanted[level]) write(level, 'request', permittedFields(line));
    },
    debug: (event, fields = {}) => write('debug', event, permittedFields(fields)),
    info: (event, fields = {}) => write('info', event, permittedFields(fields)),
    warn: (event, fields = {}) => write('warn', event, permittedFields(fields)),
    error: (event, error, fields = {}) =>
      write('error', event, { ...permittedFields(fields), error: describeError(error) }),
    config: (inForce) => write('info', 'configuration', { config: describeConfig(inForce) }),
    get linesDropped() {
      return linesDropped;
    },
    flush() {
      if (hasFlushSync(destination)) destination.flushSync();
    },
  };
}

/** A destination that writes as it goes has nothing to flush. */
function hasFlushSync(destination: object): destination is { flushSync(): void } {
  return 'flushSync' in destination && typeof destination.flushSync === 'function';
}

/** A destination on a file descriptor: 1 is standard output, 2 standard error. */
export function openDestination(descriptor: 1 | 2): DestinationStream {
  return pino.destination({ dest: descriptor, sync: false, minLength: 0, maxLength: waitingBytesMax });
}

const processPart = randomBytes(6).toString('hex');
let requestCount = 0;

/** Unlike any other in this process, and in practice in any other; says nothing about the caller. */
export function newCorrelationId(): string {
  requestCount += 1;
  return `${processPart}-${requestCount.toString(36)}`;
}
