import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Config, ConfigProblem } from './config.ts';
import { Secret } from './secret.ts';
import type { SettingName, SettingValues } from './settings.ts';

const secretFileBytesMax = 65_536;
export const secretKeyBytes = 32;
export const secretKeysMax = 8;
const sharedKeysMax = 2;
const sharedKeyLengthMax = 1024;

interface ReadSecrets {
  readonly sharedKeys: readonly Secret<string>[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** Reads the files that hold secrets, so that a wrong one is known at start and not at the first request. */
export function readSecretFiles(values: SettingValues): ReadSecrets {
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const read = (name: SettingName, path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    const found = readSecretFile(path);
    if (!found.ok) {
      problems.push({ name, problem: found.problem });
      return undefined;
    }
    if (found.readableByAll) warnings.push({ name, problem: 'names a file that every user of this machine can read' });
    return found.text;
  };

  const keys = read('OPENMESH_SHARED_KEY_FILE', values.OPENMESH_SHARED_KEY_FILE);
  const lines = keys === undefined ? [] : linesOf(keys);
  if (
    keys !== undefined &&
    (lines.length === 0 || lines.length > sharedKeysMax || lines.some((line) => line.length > sharedKeyLengthMax))
  ) {
    problems.push({
      name: 'OPENMESH_SHARED_KEY_FILE',
      problem: `must name a file of one or two lines of 1 to ${sharedKeyLengthMax} characters`,
    });
  }
  const secretKey = read('OPENMESH_SECRET_KEY_FILE', values.OPENMESH_SECRET_KEY_FILE);
  if (secretKey !== undefined && decodeSecretKeys(secretKey) === undefined) {
    problems.push({ name: 'OPENMESH_SECRET_KEY_FILE', problem: notSecretKeys });
  }
  const ticketKey = read('OPENMESH_TLS_TICKET_KEY_FILE', values.OPENMESH_TLS_TICKET_KEY_FILE);
  if (ticketKey !== undefined && decodeKey(ticketKey, 48) === undefined) {
    problems.push({ name: 'OPENMESH_TLS_TICKET_KEY_FILE', problem: 'must name a file of 48 bytes, as hex or base64' });
  }
  read('OPENMESH_TLS_KEY_FILE', values.OPENMESH_TLS_KEY_FILE);
  for (const name of ['OPENMESH_TLS_CERTIFICATE_FILE', 'OPENMESH_TLS_CA_FILE', 'OPENMESH_TLS_CRL_FILE'] as const) {
    const problem = values[name] === undefined ? undefined : findUnreadable(values[name]);
    if (problem !== undefined) problems.push({ name, problem });
  }
  const inline = values.OPENMESH_SHARED_KEY;
  const sharedKeys = (inline === undefined ? lines : [inline]).map((key) => new Secret(key));
  return { sharedKeys, problems, warnings };
}

const notSecretKeys = `must name a file of 1 to ${secretKeysMax} lines of ${secretKeyBytes} bytes each, as hex or base64`;

/** A key that encrypts personal fields at rest: 32 bytes, and the name under which sealed texts remember it. */
export interface SecretKey {
  readonly id: string;
  readonly key: Secret<Uint8Array>;
}

/**
 * The keys that encrypt personal fields at rest: the first seals, the others only open what was sealed before the key
 * was changed. In the sandbox profile one is made when missing, for its owner only and durable before it is used,
 * because what it encrypts is lost without it.
 * @throws Error when the file cannot be read or made, or holds no keys
 */
export function openSecretKeys(config: Pick<Config, 'secretKey'>): readonly SecretKey[] {
  const { file, createIfMissing } = config.secretKey;
  let found = readSecretFile(file);
  if (!found.ok && found.missing && createIfMissing) {
    createSecretKey(file);
    found = readSecretFile(file);
  }
  const keys = found.ok ? decodeSecretKeys(found.text) : undefined;
  if (keys === undefined) throw new Error(`OPENMESH_SECRET_KEY_FILE ${found.ok ? notSecretKeys : found.problem}`);
  return keys.map((key) => ({ id: nameKey(key), key: new Secret(key) }));
}

function decodeSecretKeys(text: string): readonly Uint8Array[] | undefined {
  const keys = linesOf(text).map((line) => decodeKey(line, secretKeyBytes));
  const decoded = keys.filter((key) => key !== undefined);
  return keys.length > 0 && keys.length <= secretKeysMax && decoded.length === keys.length ? decoded : undefined;
}

/** The name follows from the key, so that no list of names has to be kept; it says nothing about the key. */
function nameKey(key: Uint8Array): string {
  return createHash('sha256').update('openmesh secret key name').update(key).digest('hex').slice(0, 16);
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

/** Written aside, flushed, then linked into place: two processes starting at once end up with one whole key. */
function createSecretKey(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const aside = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    const handle = openSync(aside, 'wx', 0o600);
    try {
      writeFileSync(handle, `${randomBytes(secretKeyBytes).toString('hex')}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    chmodSync(aside, 0o400);
    try {
      linkSync(aside, file);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  } finally {
    rmSync(aside, { force: true });
  }
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Opening a pipe would otherwise wait for somebody to write into it. */
const readWithoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

type SecretFile =
  | { readonly ok: true; readonly text: string; readonly readableByAll: boolean }
  | { readonly ok: false; readonly missing: boolean; readonly problem: string };

function readSecretFile(path: string): SecretFile {
  try {
    const handle = openSync(path, readWithoutWaiting);
    try {
      const stat = fstatSync(handle);
      if (!stat.isFile()) return { ok: false, missing: false, problem: 'must name a file' };
      const buffer = Buffer.alloc(secretFileBytesMax + 1);
      const length = readSync(handle, buffer, 0, buffer.length, 0);
      if (length > secretFileBytesMax) {
        return { ok: false, missing: false, problem: `must name a file of at most ${secretFileBytesMax} bytes` };
      }
      return { ok: true, text: buffer.toString('utf8', 0, length), readableByAll: (stat.mode & 0o004) !== 0 };
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    const code = codeOf(error);
    return { ok: false, missing: code === 'ENOENT', problem: `names a file that cannot be read (${code})` };
  }
}

function findUnreadable(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'r'));
    return undefined;
  } catch (error) {
    return `names a file that cannot be read (${codeOf(error)})`;
  }
}

/** Hex or base64 with nothing around it but white space; undefined when it is not exactly so many bytes. */
function decodeKey(text: string, byteCount: number): Buffer | undefined {
  const trimmed = text.trim();
  if (trimmed.length === byteCount * 2 && /^[0-9a-f]+$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)) return undefined;
  const decoded = Buffer.from(trimmed, 'base64');
  return decoded.length === byteCount ? decoded : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}
