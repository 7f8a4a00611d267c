import { randomBytes } from 'node:crypto';
import { type DestinationStream, pino } from 'pino';
import type { Config } from '../config/config.ts';
import { describeConfig } from '../config/describe-config.ts';
import { describeError, type LogFields, permittedFields } from './log-fields.ts';
import { LogOutput } from './log-output.ts';
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
  /** Before the process ends: resolves when what waits is written, or when it shows that it cannot be. */
  flush(): Promise<void>;
}

/** Lower case words joined by hyphens, written in the code and never made from input. */
export type EventName = Lowercase<string>;

const eventShape = /^[a-z0-9]+(-[a-z0-9]+){0,9}$/;

/**
 * A structured log, one JSON object a line. Lines are written without waiting for the reader or the disk: when more than
 * 8 MiB wait, further lines are dropped, because a log that cannot be written must not stop the exchange.
 * @param destination standard output unless given
 */
export function createLog(config: Config['log'], destination: DestinationStream = openDestination(1)): Log {
  const output = destination instanceof LogOutput ? destination : undefined;
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
      return output?.linesDropped ?? 0;
    },
    flush: () => output?.flush() ?? Promise.resolve(),
  };
}

/** A destination on a file descriptor: 1 is standard output, 2 standard error. */
export function openDestination(descriptor: 1 | 2): DestinationStream {
  const output = new LogOutput(descriptor);
  process.once('exit', () => output.writeLast());
  return output;
}

const processPart = randomBytes(6).toString('hex');
let requestCount = 0;

/** Unlike any other in this process, and in practice in any other; says nothing about the caller. */
export function newCorrelationId(): string {
  requestCount += 1;
  return `${processPart}-${requestCount.toString(36)}`;
}
