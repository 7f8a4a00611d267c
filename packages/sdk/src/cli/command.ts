import { parseArgs } from 'node:util';
import type { Surroundings } from '../surroundings.ts';
import { CommandRefusal, type ExitCode, exitCodes } from './exit-codes.ts';

/** What the command may touch of the outside world; files excepted, which it is given the names of. */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: (text: string) => void;
  /** Bytes to standard output; resolves when more may come. */
  readonly content: (bytes: Uint8Array) => Promise<void>;
  readonly stderr: (text: string) => void;
  /** Columns of the terminal that stderr is; undefined when it is none, and then nothing is redrawn. */
  readonly columns: number | undefined;
  readonly signal: AbortSignal;
  readonly surroundings: Partial<Surroundings>;
}

export interface OptionSpec {
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly says: string;
}

export type Options = Readonly<Record<string, OptionSpec>>;

export interface Request {
  readonly positionals: readonly string[];
  /** A switch is '' when given. */
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly isJson: boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** One paragraph under the usage line. */
  readonly about: string;
  /** Positional arguments as the usage line shows them; one in brackets may be left out, dots say that more may follow. */
  readonly positionals: readonly string[];
  readonly options: Options;
  readonly run: (request: Request, io: CommandIo) => Promise<ExitCode>;
}

/** Where the mailbox is and how to get there; every command takes them. */
export const connectionOptions = {
  url: { value: 'URL', says: 'the service, such as https://localhost:8700 [MESH_URL]' },
  mailbox: { value: 'ID', says: 'the mailbox to act for [MESH_MAILBOX]' },
  'password-file': { value: 'FILE', says: 'its password [MESH_PASSWORD_FILE, or MESH_PASSWORD itself]' },
  'shared-key-file': { value: 'FILE', says: 'the shared key [MESH_SHARED_KEY_FILE, or MESH_SHARED_KEY itself]' },
  'ca-file': { value: 'FILE', says: 'authorities to trust instead of the usual, PEM [MESH_CA_FILE]' },
  'cert-file': { value: 'FILE', says: 'client certificate, PEM [MESH_CERT_FILE]' },
  'key-file': { value: 'FILE', says: 'its key, PEM [MESH_KEY_FILE]' },
  'pkcs12-file': { value: 'FILE', says: 'both in one PKCS#12 file [MESH_PKCS12_FILE]' },
  'passphrase-file': { value: 'FILE', says: 'what opens the key [MESH_PASSPHRASE_FILE, or MESH_PASSPHRASE itself]' },
  'server-name': { value: 'NAME', says: 'the name the server’s certificate must carry [MESH_SERVER_NAME]' },
  proxy: { value: 'URL', says: 'HTTP proxy, http://host:port [MESH_PROXY]; put one with a password into the variable' },
  'dangerously-accept-any-server-certificate': { says: 'talk to whoever answers; never with patients’ data' },
  sandbox: { says: 'what is not set is that of "npm start": localhost:8700, X26ABC1, its keys and authority' },
} as const satisfies Options;

export const standardOptions = {
  json: { says: 'print one line of JSON' },
  help: { says: 'print this' },
} as const satisfies Options;

/** Reads the arguments of a command. Throws a refusal that names what is wrong with them. */
export function readRequest(command: Command, args: readonly string[]): Request | 'help' {
  const all: Options = { ...command.options, ...connectionOptions, ...standardOptions };
  const kinds = Object.entries(all).map(
    ([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const,
  );
  const { values, positionals } = parse(command, args, Object.fromEntries(kinds));
  if (values['help'] === true) return 'help';
  const needed = command.positionals.filter((name) => !name.startsWith('[')).length;
  const allowed = command.positionals.some((name) => name.includes('…')) ? Infinity : command.positionals.length;
  if (positionals.length < needed || positionals.length > allowed) {
    throw usage(command, `${command.name} takes ${command.positionals.join(' ') || 'no arguments'}`);
  }
  const options = Object.entries(values).map(
    ([name, value]) => [name, value === true ? '' : value === false ? undefined : value] as const,
  );
  return { positionals, options: Object.fromEntries(options), isJson: values['json'] === true };
}

type Parsed = { readonly values: Record<string, string | boolean | undefined>; readonly positionals: string[] };

function parse(
  command: Command,
  args: readonly string[],
  options: Record<string, { readonly type: 'boolean' | 'string' }>,
): Parsed {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return { values, positionals };
  } catch (error) {
    // What Node says names the option and never its value.
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw usage(command, sentence);
  }
}

export function usage(command: Command, sentence: string): CommandRefusal {
  return new CommandRefusal(exitCodes.usage, `${sentence}; "mesh ${command.name} --help" lists what there is`);
}

/** A whole number of an option, or undefined when it is not given. */
export function readWhole(command: Command, { options }: Request, name: string, max: number): number | undefined {
  const raw = options[name];
  if (raw === undefined) return undefined;
  const value = /^\d{1,12}$/.test(raw) ? Number(raw) : 0;
  if (value < 1 || value > max) throw usage(command, `--${name} must be a whole number from 1 to ${max}`);
  return value;
}

/** An option that the command cannot do without. */
export function readNeeded(command: Command, { options }: Request, name: string): string {
  const value = options[name];
  if (value === undefined || value === '') throw usage(command, `--${name} is missing`);
  return value;
}
