import { jsonContentType } from './accept.ts';
import type { ErrorEntry } from './error-entry.ts';
import type { MessageId } from './identifiers.ts';
import { chunkErrors, receiveErrors, sendErrors } from './message-errors.ts';
import type { ApiVersion } from './profile.ts';
import { historicErrors, reportErrors } from './report-errors.ts';
import { authorizationErrors, requestErrors, serviceErrors } from './request-errors.ts';

/** Every error there is, by a name that never changes. The wire error is made from it in this file and nowhere else. */
export const errorCatalogue = {
  ...authorizationErrors,
  ...requestErrors,
  ...serviceErrors,
  ...sendErrors,
  ...chunkErrors,
  ...receiveErrors,
  ...reportErrors,
  ...historicErrors,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof errorCatalogue;

export const errorNames = Object.keys(errorCatalogue) as readonly ErrorName[];

/** The entry of `name`, typed as every entry is. */
export function errorEntry(name: ErrorName): ErrorEntry {
  return errorCatalogue[name];
}

/** Values for the `{name}` places of a text, such as `days`. */
export type ErrorParameters = Readonly<Record<string, string | number>>;

/** The sentence of `name` with its places filled. Throws a RangeError when a place has no value. */
export function errorText(name: ErrorName, parameters: ErrorParameters = {}): string {
  const { text } = errorCatalogue[name];
  if (!text.includes('{')) return text;
  return text.replace(/\{(\w+)\}/g, (_place, key: string) => {
    const value = parameters[key];
    if (value === undefined) throw new RangeError(`the text of ${name} needs a value for ${key}`);
    return String(value);
  });
}

/** An answer that carries JSON, ready to be written. */
export interface WireError {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface WireErrorOptions {
  /** The message the error is about, when the caller knows it or has just been given it. */
  readonly messageId?: MessageId | undefined;
  /** What to look for in the log; only version 2 and the generic 500 have room for it. */
  readonly internalId?: string | undefined;
  /** Replaces the catalogue's text. */
  readonly text?: string | undefined;
  /** Fills the places of the catalogue's text. */
  readonly parameters?: ErrorParameters | undefined;
}

const noOptions: WireErrorOptions = {};

/** The answer for `name` in the shape of `version`; the generic shape for a 500. */
export function wireError(name: ErrorName, version: ApiVersion, options: WireErrorOptions = noOptions): WireError {
  const entry: ErrorEntry = errorCatalogue[name];
  const text = options.text ?? errorText(name, options.parameters);
  const body = name === 'internal-error' ? genericBody(text, options) : businessBody(entry, text, version, options);
  return { status: entry.status, contentType: jsonContentType(version), body: JSON.stringify(body) };
}

function genericBody(message: string, options: WireErrorOptions): object {
  return { internal_id: options.internalId, message };
}

function businessBody(entry: ErrorEntry, text: string, version: ApiVersion, options: WireErrorOptions): object {
  if (version === 1) {
    return {
      messageID: options.messageId,
      errorEvent: entry.event,
      errorCode: entry.code,
      errorDescription: text,
    };
  }
  return {
    message_id: options.messageId,
    internal_id: options.internalId,
    detail: [{ event: entry.event, code: entry.code, msg: text }],
  };
}
