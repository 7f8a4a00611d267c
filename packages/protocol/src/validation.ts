import {
  type ErrorName,
  type ErrorParameters,
  errorCatalogue,
  type WireError,
  type WireErrorOptions,
  wireError,
} from './errors.ts';
import type { ApiVersion } from './profile.ts';

export type ValidationType =
  | 'missing'
  | 'string_too_long'
  | 'string_too_short'
  | 'greater_than_equal'
  | 'less_than_equal'
  | 'int_parsing'
  | 'datetime_parsing'
  | 'json_invalid'
  | 'value_error';

/** One field that failed, in the words of the framework the official sandbox is built with. */
export interface ValidationDetail {
  readonly type: ValidationType;
  /** Where it is: the part of the request, then the lower-case header name or the parameter's name. */
  readonly loc: readonly [part: 'header' | 'query' | 'path' | 'body', ...names: string[]];
  readonly msg: string;
  readonly input?: string | undefined;
  readonly ctx?: Readonly<Record<string, number>> | undefined;
}

type Location = ValidationDetail['loc'];

/** Why a request failed before it reached the message itself. */
export type RequestFailure =
  | { readonly kind: 'error'; readonly name: ErrorName; readonly parameters?: ErrorParameters }
  | { readonly kind: 'validation'; readonly details: readonly ValidationDetail[] };

/** What is shown in place of a header's text, which may be a subject, a file name or a patient's address. */
export const maskedInput = '…';

/** The 400 that lists every failing field; it is version 1's content type in both versions. */
export function validationError(details: readonly ValidationDetail[]): WireError {
  const body = JSON.stringify({
    detail: details.map(({ type, loc, msg, input, ctx }) => ({ type, loc, msg, input, ctx })),
  });
  return { status: 400, contentType: 'application/json', body };
}

/** The answer for a failure, whichever kind it is; a validation error has no room for the options. */
export function wireFailure(failure: RequestFailure, version: ApiVersion, options?: WireErrorOptions): WireError {
  if (failure.kind === 'validation') return validationError(failure.details);
  const { name, parameters } = failure;
  return wireError(name, version, parameters === undefined ? options : { ...options, parameters });
}

/** HTTP status of a failure. */
export function failureStatus(failure: RequestFailure): number {
  return failure.kind === 'error' ? errorCatalogue[failure.name].status : 400;
}

export function errorFailure(name: ErrorName, parameters?: ErrorParameters): RequestFailure {
  return parameters === undefined ? { kind: 'error', name } : { kind: 'error', name, parameters };
}

export function missing(loc: Location): ValidationDetail {
  return { type: 'missing', loc, msg: 'Field required' };
}

export function tooLong(loc: Location, lengthMax: number, input: string): ValidationDetail {
  const msg = `String should have at most ${lengthMax} ${plural(lengthMax, 'character')}`;
  return { type: 'string_too_long', loc, msg, input, ctx: { max_length: lengthMax } };
}

export function tooShort(loc: Location, lengthMin: number, input: string): ValidationDetail {
  const msg = `String should have at least ${lengthMin} ${plural(lengthMin, 'character')}`;
  return { type: 'string_too_short', loc, msg, input, ctx: { min_length: lengthMin } };
}

export function belowMinimum(loc: Location, minimum: number, input: string): ValidationDetail {
  const msg = `Input should be greater than or equal to ${minimum}`;
  return { type: 'greater_than_equal', loc, msg, input, ctx: { ge: minimum } };
}

export function aboveMaximum(loc: Location, maximum: number, input: string): ValidationDetail {
  const msg = `Input should be less than or equal to ${maximum}`;
  return { type: 'less_than_equal', loc, msg, input, ctx: { le: maximum } };
}

export function notAnInteger(loc: Location, input: string): ValidationDetail {
  const msg = 'Input should be a valid integer, unable to parse string as an integer';
  return { type: 'int_parsing', loc, msg, input };
}

export function notADateTime(loc: Location, input: string): ValidationDetail {
  return { type: 'datetime_parsing', loc, msg: 'Input should be a valid datetime', input };
}

export function invalidValue(loc: Location, reason: string, input?: string): ValidationDetail {
  return { type: 'value_error', loc, msg: `Value error, ${reason}`, input };
}

export function invalidJson(): ValidationDetail {
  return { type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' };
}

/** An integer of a path or query between two bounds, or the one detail that says why not. */
export function readInteger(
  raw: string,
  loc: Location,
  bounds: { readonly min: number; readonly max: number },
): number | ValidationDetail {
  const text = raw.trim();
  if (!/^[+-]?\d{1,15}$/.test(text)) return notAnInteger(loc, raw);
  const value = Number(text);
  if (value < bounds.min) return belowMinimum(loc, bounds.min, raw);
  return value > bounds.max ? aboveMaximum(loc, bounds.max, raw) : value;
}

function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}
