import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  openSync,
  realpathSync,
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
  readonly kind: 'no-such-key' | 'too-many' | 'in-use' | 'not-writable';
  constructor(kind: KeyFileRefusal['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KeyFileRefusal';
    this.kind = kind;
  }
}

type WithKeyFile = Pick<Config, 'secretKey'>;

/** A change takes milliseconds: what lies aside for longer was left by one that was cut off. */
const changeMsMax = 60_000;

/** Makes a key and puts it first, where it is in use from then on, or last, where it only opens. Answers its name. */
export function addSecretKey(config: WithKeyFile, place: 'first' | 'last'): string {
  const after = replaceKeys(config, (found) => {
    const keys = found.map(lineOf);
    if (keys.length >= secretKeysMax) {
      const say = `the file holds ${secretKeysMax} keys and may hold no more: "keys drop" takes one out that is not used any more`;
      throw new KeyFileRefusal('too-many', say);
    }
    const fresh = randomBytes(secretKeyBytes).toString('hex');
    return place === 'first' ? [fresh, ...keys] : [...keys, fresh];
  });
  const made = place === 'first' ? after[0] : after.at(-1);
  if (made === undefined) throw new Error('a key was written and is not there');
  return made.id;
}

/** Puts a key of the file first. */
export function promoteSecretKey(config: WithKeyFile, id: string): void {
  replaceKeys(config, (keys) => {
    const promoted = find(keys, id);
    return [promoted, ...keys.filter((key) => key !== promoted)].map(lineOf);
  });
}

/** Takes a key out of the file, which keeps its age: another may leave it at once. */
export function dropSecretKey(config: WithKeyFile, id: string): void {
  const { mtime } = statSync(config.secretKey.file);
  const change = (keys: readonly SecretKey[]) => {
    const dropped = findOlder(keys, id);
    return keys.filter((key) => key !== dropped).map(lineOf);
  };
  replaceKeys(config, change, mtime);
}

/** Throws `KeyFileRefusal` unless the file holds the key, and another is in use. */
export function requireOlderKey(config: WithKeyFile, id: string): void {
  findOlder(openSecretKeys(config), id);
}

function findOlder(keys: readonly SecretKey[], id: string): SecretKey {
  const found = find(keys, id);
  if (found === keys[0]) throw new KeyFileRefusal('in-use', `key ${id} is in use: put another one first`);
  return found;
}

/** Milliseconds since a key was last added to the file or promoted in it, by the machine's clock. */
export function keyFileAgeMs({ secretKey }: WithKeyFile, nowMs: number): number {
  return nowMs - statSync(secretKey.file).mtimeMs;
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
 * Written aside, flushed, then put in place: whoever reads finds the old keys or the new ones, whole. The name aside is one
 * for all, so that of two changes at once one is refused, and none takes away what the other has put in. Answers what is
 * there then.
 */
function replaceKeys(
  config: WithKeyFile,
  change: (keys: readonly SecretKey[]) => readonly string[],
  changedAt?: Date,
): readonly SecretKey[] {
  // In the sandbox profile one that is missing is made.
  openSecretKeys(config);
  const { file: named } = config.secretKey;
  // What a link names is changed where it lies.
  const file = onFile(named, () => realpathSync(named));
  const aside = `${file}.changing`;
  const handle = onFile(named, () => openAside(aside));
  try {
    try {
      const lines = change(openSecretKeys(config));
      onFile(named, () => {
        writeFileSync(handle, `${lines.join('\n')}\n`);
        likeThat(handle, file);
        if (changedAt !== undefined) futimesSync(handle, changedAt, changedAt);
        fsyncSync(handle);
      });
    } finally {
      closeSync(handle);
    }
    onFile(named, () => {
      renameSync(aside, file);
      flushFolder(dirname(file));
    });
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
  return openSecretKeys(config);
}

function openAside(aside: string): number {
  try {
    return openSync(aside, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (Math.abs(Date.now() - statSync(aside).mtimeMs) < changeMsMax) {
      const say = `another command is changing it, or was cut off a moment ago: try again in a minute (${aside})`;
      throw new KeyFileRefusal('not-writable', say, error);
    }
    rmSync(aside, { force: true });
    return openSync(aside, 'wx', 0o600);
  }
}

/** Of the same mode and owner: whoever runs this, the exchange must be able to read it as before. */
function likeThat(handle: number, file: string): void {
  const { mode, uid, gid } = statSync(file);
  const made = fstatSync(handle);
  if (made.uid !== uid || made.gid !== gid) fchownSync(handle, uid, gid);
  fchmodSync(handle, mode);
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function onFile<R>(file: string, act: () => R): R {
  try {
    return act();
  } catch (error) {
    if (error instanceof KeyFileRefusal) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const say = `${file} cannot be replaced (${code}): run this as its owner, or change the file where it comes from`;
    throw new KeyFileRefusal('not-writable', say, error);
  }
}
