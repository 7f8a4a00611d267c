import {
  type ErrorEntry,
  type ErrorName,
  errorCatalogue,
  errorEntry,
  errorNames,
  type MessageId,
  parseMessageId,
} from '@openmesh/protocol';
import { type ClientErrorName, clientErrors } from './client-errors.ts';
import { type InvalidField, MeshError, type OperationName, type WireRefusal } from './mesh-error.ts';

export interface Refusal {
  readonly operation: OperationName;
  readonly status: number;
  /** The body, as far as it was read; JSON of either version or anything at all. */
  readonly body: string;
  readonly retryAfterMs: number | undefined;
  readonly serverTimeMs: number | undefined;
  /** Of the message the request was about. */
  readonly messageId?: MessageId | undefined;
}

/** The error for an answer that is not a success, whatever its body looks like. */
export function refusalError(refusal: Refusal): MeshError {
  const { operation, status, retryAfterMs, serverTimeMs } = refusal;
  const json = parseObject(refusal.body);
  const wire = readWire(json);
  const fields = readFields(json);
  const code: ErrorName | ClientErrorName =
    fields.length > 0 ? 'validation-failed' : ((wire && catalogued(status, wire)) ?? uncatalogued(status));
  const entry = code in errorCatalogue ? errorEntry(code as ErrorName) : clientErrors[code as ClientErrorName];
  const idOfBody = json?.['message_id'] ?? json?.['messageID'];
  const messageId = (typeof idOfBody === 'string' ? parseMessageId(idOfBody) : undefined) ?? refusal.messageId;
  return new MeshError({
    code,
    operation,
    text: `${operation}: ${describe(code, entry, status, wire, fields)}`,
    class: entry.class,
    whoCanFix: entry.whoCanFix,
    hint: entry.hint,
    status,
    wire,
    fields,
    messageId,
    retryAfterMs,
    serverTimeMs,
  });
}

/** Sentences of the catalogue and codes, never the words that came: those may repeat what was sent. */
function describe(
  code: string,
  entry: { readonly text: string },
  status: number,
  wire: WireRefusal | undefined,
  fields: readonly InvalidField[],
): string {
  const named = fields.map(({ where, problem }) => `${where} (${problem})`).join(', ');
  if (named !== '') return `${entry.text}: ${named}`;
  const codes = [status, wire?.event, /^[\w-]{1,20}$/.test(wire?.code ?? '') ? wire?.code : '']
    .filter(Boolean)
    .join(' ');
  const sentence =
    code in errorCatalogue && entry.text.includes('{') ? (entry.text.split(/[:{]/)[0] ?? '') : entry.text;
  return `${sentence.split('\n')[0] ?? ''} (${codes})`;
}

/** The entry of the catalogue that these words are: by status, event and code, and by the sentence where several fit. */
function catalogued(status: number, wire: WireRefusal): ErrorName | undefined {
  const fitting = errorNames.filter((name) => {
    const entry: ErrorEntry = errorEntry(name);
    return entry.status === status && entry.event === wire.event && entry.code === wire.code;
  });
  const named = fitting.find((name) => sentencePattern(errorEntry(name).text).test(wire.text));
  // Without event and code only the sentence tells errors apart; with them, another wording is still the same error.
  return named ?? (wire.code === '' ? undefined : fitting[0]);
}

function sentencePattern(text: string): RegExp {
  const escaped = text.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '.{0,100}');
  return new RegExp(`^${escaped}$`);
}

function uncatalogued(status: number): ErrorName | ClientErrorName {
  if (status === 429) return 'too-many-requests';
  if (status === 408 || status === 425 || status === 503) return 'service-busy';
  if (status >= 500) return 'service-failed';
  return status >= 400 ? 'unexpected-refusal' : 'unexpected-answer';
}

const detailsMax = 50;
const textLengthMax = 1000;

function readWire(json: Readonly<Record<string, unknown>> | undefined): WireRefusal | undefined {
  if (json === undefined) return undefined;
  if (typeof json['errorDescription'] === 'string') {
    return wireOf(json['errorEvent'], json['errorCode'], json['errorDescription']);
  }
  const detail: unknown = json['detail'];
  if (typeof detail === 'string') return wireOf('', '', detail);
  const first: unknown = Array.isArray(detail) ? detail[0] : undefined;
  if (isObject(first)) return wireOf(first['event'], first['code'], first['msg']);
  return typeof json['message'] === 'string' ? wireOf('', '', json['message']) : undefined;
}

function wireOf(event: unknown, code: unknown, text: unknown): WireRefusal {
  return { event: shortText(event), code: shortText(code), text: shortText(text) };
}

function shortText(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, textLengthMax) : '';
}

/** The fields of a validation error, without what was sent in them. */
function readFields(json: Readonly<Record<string, unknown>> | undefined): readonly InvalidField[] {
  const detail: unknown = json?.['detail'];
  if (!Array.isArray(detail)) return [];
  return detail.slice(0, detailsMax).flatMap((item: unknown) => {
    if (!isObject(item) || !Array.isArray(item['loc'])) return [];
    const where = item['loc'].map(String).join(' ').slice(0, textLengthMax);
    return [{ where, problem: shortText(item['type']) }];
  });
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
