import { isIP } from 'node:net';

/**
 * The fields that may stand in a log, and the shape a text in each must have. A field that is not here is dropped and
 * a text of another shape is written as `*`: what a caller sends never reaches the log by its own choice. There is no
 * field for a path, a header, a subject, a file name or a local id.
 */
const fieldShapes = {
  correlationId: /^[0-9a-f]{12}-[0-9a-z]{1,11}$/,
  operation: /^[a-z-]{1,32}$/,
  method: /^[A-Z]{3,7}$/,
  reason: /^[a-z0-9]+(-[a-z0-9]+){0,9}$/,
  job: /^[a-z-]{1,40}$/,
  probe: /^[a-z-]{1,40}$/,
  signal: /^SIG[A-Z0-9]{2,8}$/,
  profile: /^(live|sandbox)$/,
  version: /^\d{1,4}\.\d{1,4}\.\d{1,6}$/,
  setting: /^OPENMESH_[A-Z_]{1,60}$/,
  outcome: /^[a-z-]{1,32}$/,
  /** Only of a mailbox the registry knows: a caller can write anything in its place. */
  mailbox: /^(?=.*[A-Z])[A-Z0-9]{1,32}$/,
  /** Only of a message the ledger knows. */
  messageId: /^[0-9A-F_]{20,40}$/i,
  /** Only of an organisation the directory knows. */
  organisation: /^[A-Z0-9]{3,10}$/,
  certificateSerial: /^[0-9a-f:]{1,80}$/i,
} as const;

const numberFields = [
  'status',
  'durationMs',
  'bytesReceived',
  'bytesSent',
  'chunkNumber',
  'count',
  'port',
  'elapsedMs',
  'limitMs',
  'connections',
  'daysLeft',
] as const;

type TextField = keyof typeof fieldShapes;
type NumberField = (typeof numberFields)[number];

/** `address` is an IP address; anything else is written as `*`. */
export type LogFields = { readonly [Name in TextField]?: string } & { readonly [Name in NumberField]?: number } & {
  readonly address?: string;
};

const textFields = Object.keys(fieldShapes) as readonly TextField[];
/** Every field that a caller of the log may fill. */
export const logFieldNames: readonly string[] = [...textFields, ...numberFields, 'address'];

const withheld = '*';

/** A new object of the permitted fields only. */
export function permittedFields(fields: LogFields): Record<string, string | number> {
  const permitted: Record<string, string | number> = {};
  for (const name of textFields) {
    const text: unknown = fields[name];
    if (text !== undefined)
      permitted[name] = typeof text === 'string' && fieldShapes[name].test(text) ? text : withheld;
  }
  for (const name of numberFields) {
    const value: unknown = fields[name];
    if (value !== undefined) permitted[name] = typeof value === 'number' && Number.isFinite(value) ? value : withheld;
  }
  const address: unknown = fields.address;
  if (address !== undefined)
    permitted['address'] = typeof address === 'string' && isIP(address) !== 0 ? address : withheld;
  return permitted;
}

const causesMax = 4;
const framesMax = 12;

/** An error for the log: what it is and where it was thrown, never its message, since a message may quote anything. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly kind?: string;
  readonly syscall?: string;
  readonly frames: readonly string[];
  readonly cause?: LoggedError;
}

export function describeError(error: unknown, depth = 1): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, frames: [] };
  const { code, kind, syscall } = error as { code?: unknown; kind?: unknown; syscall?: unknown };
  return {
    type: shapedOr(error.constructor.name, /^\w{1,60}$/) ?? 'Error',
    ...optional('code', shapedOr(code, /^[A-Z](?:[A-Z_]|\d{1,2}(?!\d)){1,60}$/)),
    ...optional('kind', shapedOr(kind, /^[a-z-]{1,40}$/)),
    ...optional('syscall', shapedOr(syscall, /^[a-z0-9_]{1,30}$/)),
    frames: framesOf(error),
    ...(error.cause === undefined || depth >= causesMax ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function shapedOr(value: unknown, shape: RegExp): string | undefined {
  return typeof value === 'string' && shape.test(value) ? value : undefined;
}

/** The lines below the message. A stack whose head is not the message we know is not shown: it may hold any text. */
function framesOf(error: Error): readonly string[] {
  const head = error.message === '' ? error.name : `${error.name}: ${error.message}`;
  const stack = typeof error.stack === 'string' ? error.stack : '';
  // A class that sets its name after construction has a stack that begins with the name of its parent.
  const start = stack.startsWith(head) ? head.length : stack.indexOf(`: ${error.message}\n    at `);
  if (start < 0) return [];
  const body = stack.startsWith(head) ? stack.slice(start) : stack.slice(start + 2 + error.message.length);
  return body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => frameShape.test(line))
    .slice(0, framesMax);
}

/** `at name (file:line:column)` or `at file:line:column`. */
const frameShape =
  /^at (?:(?:async |new )*[\w.<>$[\] #]{1,120} \()?(?:file:\/\/|node:|\/)[\w./@%+-]{1,300}:\d+:\d+\)?$/;
