import { isIP } from 'node:net';
import { resolve } from 'node:path';

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  /** What the value must be, as the end of a sentence that begins with the setting's name; never repeats the value. */
  | { readonly ok: false; readonly problem: string };

/** How the text of a setting is read. */
export interface SettingKind<Value> {
  readonly type: 'choice' | 'number' | 'text' | 'secret' | 'host' | 'file' | 'place' | 'list';
  /** Empty where a unit makes no sense. */
  readonly unit: string;
  /** The permitted values, for people. */
  readonly limits: string;
  readonly parse: (text: string) => Parsed<Value>;
  /** The text as it may be printed, where it may hold a secret in a part of it. */
  readonly show?: (text: string) => string;
}

export interface Setting<Value> extends SettingKind<Value> {
  readonly help: string;
  /** Which of the two switches chooses between the two defaults. */
  readonly defaultBy: 'profile' | 'wireRules';
  /** As one would write them; undefined means "not set". */
  readonly defaults: { readonly live: string | undefined; readonly sandbox: string | undefined };
}

interface Described {
  readonly help: string;
}

type Default = string | number | { readonly live: string | number; readonly sandbox: string | number };

/** A setting that always has a value. */
export function setting<Value>(
  kind: SettingKind<Value>,
  described: Described & { readonly default: Default; readonly defaultBy?: 'profile' | 'wireRules' },
): Setting<Value> {
  const given = described.default;
  const defaults = typeof given === 'object' ? given : { live: given, sandbox: given };
  return {
    ...kind,
    help: described.help,
    defaultBy: described.defaultBy ?? 'profile',
    defaults: { live: String(defaults.live), sandbox: String(defaults.sandbox) },
  };
}

/** A setting that may be left out. */
export function optionalSetting<Value>(kind: SettingKind<Value>, described: Described): Setting<Value | undefined> {
  return { ...kind, help: described.help, defaultBy: 'profile', defaults: { live: undefined, sandbox: undefined } };
}

/** A value that is not permitted; `problem` never repeats it. */
export function refuse(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

export function choice<const Value extends string>(...choices: readonly Value[]): SettingKind<Value> {
  return {
    type: 'choice',
    unit: '',
    limits: choices.join(', '),
    parse(text) {
      const value = choices.find((candidate) => candidate === text);
      return value === undefined ? refuse(`must be one of ${choices.join(', ')}`) : { ok: true, value };
    },
  };
}

/** A decimal whole number from `min` to `max`, both included. */
export function wholeNumber(unit: string, min: number, max: number): SettingKind<number> {
  return {
    type: 'number',
    unit,
    limits: `${min} to ${max}`,
    parse(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max
        ? { ok: true, value }
        : refuse(`must be a whole number from ${min} to ${max}${unit === '' ? '' : ` (${unit})`}`);
    },
  };
}

export function visibleText(lengthMax: number): SettingKind<string> {
  return {
    type: 'text',
    unit: '',
    limits: `1 to ${lengthMax} visible ASCII characters`,
    parse: (value) =>
      value.length <= lengthMax && /^[!-~]+$/.test(value)
        ? { ok: true, value }
        : refuse(`must be 1 to ${lengthMax} visible ASCII characters without spaces`),
  };
}

export function secret(lengthMax: number): SettingKind<string> {
  return {
    type: 'secret',
    unit: '',
    limits: `1 to ${lengthMax} characters`,
    parse: (value) =>
      value.length <= lengthMax && !/[\r\n]/.test(value)
        ? { ok: true, value }
        : refuse(`must be one line of 1 to ${lengthMax} characters`),
  };
}

export function host(): SettingKind<string> {
  return {
    type: 'host',
    unit: '',
    limits: 'IPv4 or IPv6 address, or host name',
    parse: (value) =>
      isIP(value) !== 0 || (value.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value))
        ? { ok: true, value }
        : refuse('must be an IPv4 or IPv6 address without brackets, or a host name'),
  };
}

export function file(): SettingKind<string> {
  return {
    type: 'file',
    unit: '',
    limits: 'path of a file',
    parse: (value) => (value.includes('\0') ? refuse('must be a path') : { ok: true, value: resolve(value) }),
  };
}

/** A range of addresses, ready for `BlockList.addSubnet`. */
export interface AddressRange {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 'ipv4' | 'ipv6';
}

export function addressRanges(countMax: number): SettingKind<readonly AddressRange[]> {
  return {
    type: 'list',
    unit: '',
    limits: `up to ${countMax} addresses or CIDR ranges, separated by commas`,
    parse(value) {
      const parts = value.split(',').map((part) => part.trim());
      const ranges = parts.map(readRange).filter((range) => range !== undefined);
      return parts.length <= countMax && ranges.length === parts.length
        ? { ok: true, value: ranges }
        : refuse(`must be up to ${countMax} addresses or CIDR ranges such as 10.0.0.0/8, separated by commas`);
    },
  };
}

function readRange(part: string): AddressRange | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(part);
  const address = match?.[1] ?? '';
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefixLength = match?.[2] === undefined ? bits : Number(match[2]);
  return prefixLength > bits ? undefined : { address, prefixLength, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** `sqlite://x` and `file://x` are refused: in a URL `x` would be a host, and as a path it would be at the root. */
export function pathAfter(scheme: string, value: string): string | undefined {
  const path = value.startsWith(scheme) ? value.slice(scheme.length) : '';
  return path === '' || path.includes('\0') || /^\/\/(?!\/)/.test(path) ? undefined : path;
}
