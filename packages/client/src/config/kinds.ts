import { isAbsolute, resolve } from 'node:path';

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  /** What the value must be, as the end of a sentence that begins with the setting's name; never repeats the value. */
  | { readonly ok: false; readonly problem: string };

/** What a value may be read against. */
export interface ReadingPlace {
  /** Folder of the configuration file; relative paths begin there. */
  readonly folder: string;
  readonly platform: NodeJS.Platform;
}

/** How the text of a setting is read. */
export interface Kind<Value> {
  readonly type: 'flag' | 'number' | 'text' | 'secret' | 'path' | 'choice' | 'url';
  /** The permitted values, for people. */
  readonly limits: string;
  /** Of a number that the program works with in a smaller unit: its name in our own file ends in it. */
  readonly unit?: string;
  readonly parse: (text: string, place: ReadingPlace) => Parsed<Value>;
}

const refuse = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

/** Y and N, and what people write instead of them. */
export const flag: Kind<boolean> = {
  type: 'flag',
  limits: 'Y or N',
  parse(text) {
    if (/^(y|yes|true)$/i.test(text)) return { ok: true, value: true };
    if (/^(n|no|false)$/i.test(text)) return { ok: true, value: false };
    return refuse('must be Y or N');
  },
};

/** A decimal whole number with its unit; `scale` makes it the number the program works with, such as milliseconds. */
export function number(unit: string, min: number, max: number, scale = 1): Kind<number> {
  return {
    type: 'number',
    limits: `${min} to ${max} ${unit}`.trim(),
    ...(scale === 1 ? {} : { unit }),
    parse(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      const bounds = `from ${min} to ${max}${unit === '' ? '' : ` (${unit})`}`;
      return value >= min && value <= max
        ? { ok: true, value: value * scale }
        : refuse(`must be a whole number ${bounds}`);
    },
  };
}

export function line(lengthMax: number): Kind<string> {
  return {
    type: 'text',
    limits: `1 to ${lengthMax} characters`,
    parse: (value) =>
      value.length <= lengthMax && !/\p{Cc}/u.test(value)
        ? { ok: true, value }
        : refuse(`must be one line of 1 to ${lengthMax} characters`),
  };
}

/** As text, but never printed; `${env:NAME}`, `${file:PATH}`, `${credential:NAME}` and `${dpapi:…}` stand for what is kept elsewhere. */
export function secret(lengthMax: number): Kind<string> {
  return {
    ...line(lengthMax),
    type: 'secret',
    limits: `1 to ${lengthMax} characters, or \${env:NAME}, \${file:PATH}, \${credential:NAME} or \${dpapi:…}`,
  };
}

/** Of a file or folder. A drive letter on a system without drives is a configuration that was carried over by mistake. */
export const path: Kind<string> = {
  type: 'path',
  limits: 'path; a relative one begins at the folder of the configuration file',
  parse(value, { folder, platform }) {
    if (value.includes('\0')) return refuse('must be a path');
    if (platform !== 'win32' && /^([A-Za-z]:[\\/]|\\\\)/.test(value)) {
      return refuse('is a path of Windows, and this system is not: write the path of this system');
    }
    return { ok: true, value: isAbsolute(value) ? value : resolve(folder, value) };
  },
};

export function choice<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  return {
    type: 'choice',
    limits: words.join(', '),
    parse(value) {
      const word = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
      return word === undefined ? refuse(`must be one of ${words.join(', ')}`) : { ok: true, value: word };
    },
  };
}

/** Origin of the service. A path is refused, but for the `/messageexchange` that one guide writes behind it. */
export const serviceUrl: Kind<string> = {
  type: 'url',
  limits: 'https://HOST or https://HOST:PORT',
  parse(value) {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const good =
      url !== undefined &&
      /^https?:$/.test(url.protocol) &&
      /^\/(messageexchange\/?)?$/.test(url.pathname) &&
      url.username === '' &&
      url.search === '';
    return good ? { ok: true, value: url.origin } : refuse('must be https://HOST or https://HOST:PORT');
  },
};
