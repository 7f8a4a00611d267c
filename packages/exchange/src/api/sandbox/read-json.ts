import {
  aboveMaximum,
  belowMinimum,
  invalidJson,
  invalidValue,
  missing,
  notAnInteger,
  type RequestFailure,
  toHeaderText,
  tooLong,
  type ValidationDetail,
} from '@openmesh/protocol';
import type { IncomingBody } from '../../message/incoming-body.ts';

/** The largest body of administration, in bytes. */
export const jsonBytesMax = 65_536;

export type JsonReading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: RequestFailure };

/** Reads a body as JSON whatever its content type says: widespread test suites send none. */
export async function readJson(body: IncomingBody): Promise<JsonReading<unknown>> {
  const { bytes, ended } = await body.head(jsonBytesMax);
  if (!ended || bytes.length > jsonBytesMax) {
    return refuse([invalidValue(['body'], `the body must have at most ${jsonBytesMax} bytes`)]);
  }
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return refuse([invalidJson()]);
  }
}

export function refuse(details: readonly ValidationDetail[]): {
  readonly ok: false;
  readonly failure: RequestFailure;
} {
  return { ok: false, failure: { kind: 'validation', details } };
}

/**
 * The members of an object out of a body, read one by one; what is wrong is collected, so that every problem is named at
 * once. Only own members are looked at, so that nothing a caller writes is mistaken for a property of all objects.
 */
export class Members {
  readonly details: ValidationDetail[] = [];
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #place: readonly string[];

  constructor(value: unknown, place: readonly string[] = []) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#object = isObject ? (value as Readonly<Record<string, unknown>>) : {};
    this.#place = place;
    if (!isObject) this.details.push(invalidValue(['body', ...place], 'must be an object'));
  }

  /** Header text; undefined when it is absent, null, or was refused. */
  text(name: string, lengthMax: number): string | undefined {
    const value = this.#own(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') return this.refuse(name, 'must be a text');
    if (value.length <= lengthMax) return toHeaderText(value);
    this.details.push(tooLong(this.#at(name), lengthMax, '…'));
    return undefined;
  }

  /** The same, and refused when absent or empty. */
  requiredText(name: string, lengthMax: number): string {
    const known = this.details.length;
    const text = this.text(name, lengthMax);
    if (this.details.length === known && (text === undefined || text === ''))
      this.details.push(missing(this.#at(name)));
    return text ?? '';
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.#own(name);
    if (value === undefined) return undefined;
    const found = choices.find((candidate) => candidate === value);
    return found ?? this.refuse(name, `must be one of ${choices.join(', ')}`);
  }

  integer(name: string, min: number, max: number): number | undefined {
    const value = this.#own(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      this.details.push(notAnInteger(this.#at(name), JSON.stringify(value).slice(0, 40)));
      return undefined;
    }
    if (value >= min && value <= max) return value;
    const outside = value < min ? belowMinimum : aboveMaximum;
    this.details.push(outside(this.#at(name), value < min ? min : max, String(value)));
    return undefined;
  }

  fraction(name: string): number | undefined {
    const value = this.#own(name);
    if (value === undefined) return undefined;
    return typeof value === 'number' && value >= 0 && value <= 1 ? value : this.refuse(name, 'must be from 0 to 1');
  }

  /** Notes a member that is there but cannot be taken. */
  refuse(name: string, reason: string): undefined {
    this.details.push(invalidValue(this.#at(name), reason));
    return undefined;
  }

  require(name: string): void {
    if (this.#own(name) === undefined) this.details.push(missing(this.#at(name)));
  }

  #own(name: string): unknown {
    const value = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
    return value ?? undefined;
  }

  #at(name: string): ['body', ...string[]] {
    return ['body', ...this.#place, name];
  }
}
