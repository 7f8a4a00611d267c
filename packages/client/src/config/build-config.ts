import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseMailboxId } from '@openmesh/protocol';
import { checkTogether } from './check-together.ts';
import type { ClientConfig, MailboxConfig } from './config.ts';
import type { ReadingPlace } from './kinds.ts';
import { ConfigFault, type ConfigProblem, type RawConfig, type RawMailbox, type RawSetting } from './raw-settings.ts';
import {
  type MailboxValues,
  mailboxSettings,
  ownName,
  type ProcessValues,
  processSettings,
  type Setting,
} from './settings.ts';
import { unprotectForWindows } from './windows-secrets.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const filesBytesMax = 64 * 1024;

/** Judges what was read, setting by setting and then as a whole. Throws a ConfigFault that lists every problem. */
export function buildConfig(raw: RawConfig, env: Environment, platform = process.platform): ClientConfig {
  const judge = new Judge(raw, env, platform);
  const values = judge.read(raw.settings, processSettings) as ProcessValues;
  const mailboxes = raw.mailboxes.map((mailbox) => judge.mailbox(mailbox));
  if (mailboxes.length === 0)
    judge.refuse(1, '', `has no mailbox: add ${raw.format === 'yaml' ? 'mailboxes' : '<Client>'}`);
  if (values.url === undefined) judge.refuse(1, judge.spelling('url', processSettings), 'is missing');
  const found = mailboxes.filter((mailbox) => mailbox !== undefined);
  const config: ClientConfig = {
    ...values,
    file: raw.file,
    url: values.url ?? '',
    sharedKey: judge.sharedKey(values),
    keyStorePath: values.keyStorePath,
    mailboxes: found,
    warnings: judge.warnings,
  };
  checkTogether(config, raw, judge);
  if (judge.problems.length > 0) throw new ConfigFault(judge.problems);
  return config;
}

type Table = Readonly<Record<string, Setting<unknown>>>;

export class Judge {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[];
  readonly #raw: RawConfig;
  readonly #env: Environment;
  readonly #place: ReadingPlace;

  constructor(raw: RawConfig, env: Environment, platform: NodeJS.Platform) {
    this.#raw = raw;
    this.#env = env;
    this.#place = { folder: dirname(raw.file), platform };
    this.warnings = [...raw.warnings];
  }

  /** How the file at hand would spell a setting. */
  spelling(name: string, table: Table): string {
    const setting = table[name];
    if (setting === undefined) return name;
    return this.#raw.format === 'yaml' ? ownName(name, setting) : setting.cfg;
  }

  refuse(line: number, setting: string, problem: string): void {
    this.problems.push({ file: this.#raw.file, line, setting, problem });
  }

  warn(line: number, setting: string, problem: string): void {
    this.warnings.push({ file: this.#raw.file, line, setting, problem });
  }

  read(settings: ReadonlyMap<string, RawSetting>, table: Table): unknown {
    const values: Record<string, unknown> = {};
    for (const [name, { kind, standard }] of Object.entries(table)) {
      const written = settings.get(name);
      const text = written === undefined ? standard : this.#expand(written, kind.type === 'secret');
      if (text === undefined) continue;
      const parsed = kind.parse(text, this.#place);
      if (parsed.ok) values[name] = parsed.value;
      else this.refuse(written?.line ?? 1, written?.spelt ?? name, parsed.problem);
    }
    return values;
  }

  mailbox({ line, settings }: RawMailbox): MailboxConfig | undefined {
    const values = this.read(settings, mailboxSettings) as MailboxValues;
    for (const name of ['id', 'password', 'root'] as const) {
      if (!settings.has(name)) this.refuse(line, this.spelling(name, mailboxSettings), 'is missing from this mailbox');
    }
    const { id = '', password, root, inFolder, outFolder, sentFolder, failedFolder, tempFolder, ...rest } = values;
    const mailboxId = parseMailboxId(id);
    if (id !== '' && mailboxId === undefined) {
      this.refuse(settings.get('id')?.line ?? line, this.spelling('id', mailboxSettings), 'is no mailbox id');
    }
    const type = settings.get('mailboxType');
    if (type !== undefined && type.text.toUpperCase() !== 'MESH') {
      this.warn(type.line, type.spelt, 'is not MESH; the mailbox is treated as one of MESH');
    }
    const folders = { in: inFolder, out: outFolder, sent: sentFolder, failed: failedFolder, temp: tempFolder };
    const taken = new Set<string>();
    for (const folder of Object.values(folders)) {
      if (folder === undefined) continue;
      if (/[/\\]/.test(folder) || /^\.{1,2}$/.test(folder)) this.refuse(line, 'a folder', 'must be a name, not a path');
      // What comes into IN must not be sent again from OUT; and some file systems know no case.
      if (taken.has(folder.toLowerCase())) this.refuse(line, 'a folder', 'has the name of another of this mailbox');
      taken.add(folder.toLowerCase());
    }
    if (mailboxId === undefined || password === undefined || root === undefined) return undefined;
    return { ...rest, id: mailboxId, password, root, folders };
  }

  /** From the environment, the credentials of the service manager, a file, or the configuration itself, in that order. */
  sharedKey({ sharedKey, sharedKeyFile }: ProcessValues): string | undefined {
    const credentials = this.#env['CREDENTIALS_DIRECTORY'];
    const inCredentials = credentials === undefined ? undefined : join(credentials, 'openmesh-shared-key');
    const named = this.#env['OPENMESH_SHARED_KEY_FILE'];
    if (named !== undefined && named !== '') return this.#readSecretFile('OPENMESH_SHARED_KEY_FILE', resolve(named), 0);
    const credential = inCredentials === undefined ? undefined : readShort(inCredentials);
    if (credential?.ok === true) return credential.text;
    if (sharedKeyFile !== undefined) {
      return this.#readSecretFile(
        this.spelling('sharedKeyFile', processSettings),
        sharedKeyFile,
        this.#lineOf('sharedKeyFile'),
      );
    }
    return sharedKey;
  }

  #lineOf(name: string): number {
    return this.#raw.settings.get(name)?.line ?? 1;
  }

  #readSecretFile(setting: string, file: string, line: number): string | undefined {
    const read = readShort(file);
    if (read.ok) return read.text;
    this.refuse(line, setting, read.problem);
    return undefined;
  }

  /** Values of secrets may point elsewhere; whatever else contains a dollar sign is meant as it stands. */
  #expand({ text, line, spelt }: RawSetting, isSecret: boolean): string | undefined {
    const reference = isSecret ? /^\$\{(env|file|credential|dpapi):([^}]+)\}$/.exec(text) : null;
    if (reference === null) return text;
    const [, kind, name = ''] = reference;
    switch (kind) {
      case 'file':
        return this.#readSecretFile(spelt, isAbsolute(name) ? name : resolve(this.#place.folder, name), line);
      case 'credential':
        return this.#readCredential(spelt, name, line);
      case 'dpapi':
        return this.#unprotect(spelt, name, line);
      default: {
        const value = this.#env[name];
        if (value === undefined) this.refuse(line, spelt, `names the environment variable ${name}, which is not set`);
        return value;
      }
    }
  }

  /** What the service manager hands over: systemd's LoadCredential. */
  #readCredential(spelt: string, name: string, line: number): string | undefined {
    const folder = this.#env['CREDENTIALS_DIRECTORY'];
    if (folder !== undefined && /^[\w.-]+$/.test(name)) return this.#readSecretFile(spelt, join(folder, name), line);
    const problem =
      folder === undefined
        ? 'names a credential, and no service manager hands any over (CREDENTIALS_DIRECTORY is not set)'
        : 'names a credential in letters that no name of one has';
    this.refuse(line, spelt, problem);
    return undefined;
  }

  #unprotect(spelt: string, protectedBase64: string, line: number): string | undefined {
    if (this.#place.platform !== 'win32') {
      this.refuse(line, spelt, 'is protected by Windows (DPAPI), and this system is not: give the secret another way');
      return undefined;
    }
    const secret = unprotectForWindows(protectedBase64);
    if (secret === undefined) {
      const problem =
        'cannot be opened by Windows (DPAPI): it was protected on another machine; "protect" makes it anew';
      this.refuse(line, spelt, problem);
    }
    return secret;
  }
}

/** One line of a small file. */
function readShort(file: string): { ok: true; text: string } | { ok: false; problem: string } {
  try {
    const text = readFileSync(file, 'utf8').slice(0, filesBytesMax).trim();
    if (text === '' || text.includes('\n')) return { ok: false, problem: 'names a file that does not hold one line' };
    return { ok: true, text };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return { ok: false, problem: `names a file that cannot be read (${code})` };
  }
}
