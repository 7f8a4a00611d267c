import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  futimesSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from './config.ts';
import { openSecretKeys, type SecretKey, secretKeyBytes, secretKeysMax } from './secrets.ts';

/** The file of secret keys cannot be changed as asked: a sentence for whoever asked, which says what to do. */
export class KeyFileRefusal extends Error {
  readonly kind: 'no-such-key' | 'too-many' | 'in-use' | 'too-soon' | 'not-writable';
  constructor(kind: KeyFileRefusal['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KeyFileRefusal';
    this.kind = kind;
  }
}

type WithKeyFile = Pick<Config, 'secretKey'>;

/** Makes a key and puts it first, where it is in use from then on, or last, where it only opens. Answers its name. */
export function addSecretKey(config: WithKeyFile, place: 'first' | 'last'): string {
  const keys = openSecretKeys(config).map(lineOf);
  if (keys.length >= secretKeysMax) {
    const say = `the file holds ${secretKeysMax} keys and may hold no more: "keys drop" takes one out that is not used any more`;
    throw new KeyFileRefusal('too-many', say);
  }
  const fresh = randomBytes(secretKeyBytes).toString('hex');
  const after = replaceKeys(config, place === 'first' ? [fresh, ...keys] : [...keys, fresh]);
  const made = place === 'first' ? after[0] : after.at(-1);
  if (made === undefined) throw new Error('a key was written and is not there');
  return made.id;
}

/** Puts a key of the file first. */
export function promoteSecretKey(config: WithKeyFile, id: string): void {
  const keys = openSecretKeys(config);
  const promoted = find(keys, id);
  replaceKeys(config, [promoted, ...keys.filter((key) => key !== promoted)].map(lineOf));
}

/**
 * How long after a key came in use something may still be kept under the one before: a running exchange reads the file every
 * few seconds, and a commit that waits for its ledger is given up within three minutes.
 */
const settlingMs = 5 * 60_000;

/** Takes a key out of the file, once it is sure that nothing more comes under it. */
export function dropSecretKey(config: WithKeyFile, id: string, nowMs: number): void {
  const keys = openSecretKeys(config);
  const dropped = find(keys, id);
  if (dropped === keys[0]) throw new KeyFileRefusal('in-use', `key ${id} is in use: put another one first`);
  const { mtimeMs } = statSync(config.secretKey.file);
  if (nowMs - mtimeMs < settlingMs) {
    const minutes = settlingMs / 60_000;
    const say = `the file was changed less than ${minutes} minutes ago, and messages on their way may still come under key ${id}: run this again in ${minutes} minutes`;
    throw new KeyFileRefusal('too-soon', say);
  }
  replaceKeys(config, keys.filter((key) => key !== dropped).map(lineOf), mtimeMs);
}

function find(keys: readonly SecretKey[], id: string): SecretKey {
  const found = keys.find((key) => key.id === id);
  if (found === undefined)
    throw new KeyFileRefusal('no-such-key', 'the file holds no key of this name: see "keys list"');
  return found;
}

function lineOf({ key }: SecretKey): string {
  return Buffer.from(key.reveal()).toString('hex');
}

/**
 * Written aside, flushed, then put in place: whoever reads finds the old keys or the new ones, whole. Answers what is there.
 * `changedAtMs` where the key in use stays the same, which is counted from.
 */
function replaceKeys(config: WithKeyFile, lines: readonly string[], changedAtMs?: number): readonly SecretKey[] {
  const { file } = config.secretKey;
  const aside = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    const handle = openSync(aside, 'wx', 0o600);
    try {
      writeFileSync(handle, `${lines.join('\n')}\n`);
      fchmodSync(handle, statSync(file).mode);
      if (changedAtMs !== undefined) futimesSync(handle, changedAtMs / 1000, changedAtMs / 1000);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(aside, file);
    const folder = openSync(dirname(file), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    rmSync(aside, { force: true });
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const say = `${file} cannot be replaced (${code}): run this as its owner, or change the file where it comes from`;
    throw new KeyFileRefusal('not-writable', say, error);
  }
  return openSecretKeys(config);
}
