import { parseArgs } from 'node:util';
import type { Environment } from '../config/build-config.ts';

/** What a command may touch of the outside world; files excepted, which its arguments and the configuration name. */
export interface CommandIo {
  readonly stdout: (text: string) => void;
  /** Lines to standard output that nobody needs: their loss, on a full disk, is no failure. */
  readonly log: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Environment;
}

/** Exit codes, the same for every command. 2 meant "restart me" to the scripts of the Java client and is never used. */
export const exitCodes = {
  ok: 0,
  configuration: 1,
  locked: 3,
  keyStore: 4,
  /** The command did its work, and the answer is no. */
  no: 5,
  usage: 64,
  unavailable: 69,
  internal: 70,
  /** What was asked for could not be written to standard output. */
  unwritten: 73,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command that ends with a sentence saying what to do next. */
export class CommandRefusal extends Error {
  override readonly name = 'CommandRefusal';
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Request {
  readonly positionals: readonly string[];
  readonly json: boolean;
  /** Values of options; a switch is '' when given. */
  readonly options: Readonly<Record<string, string | undefined>>;
}

export interface Command {
  readonly name: string;
  /** Other names it answers to. */
  readonly aliases?: readonly string[];
  /** Its arguments as they stand behind its name in the help. */
  readonly usage: string;
  readonly summary: string;
  readonly about: string;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [min: number, max: number];
  /** Options with what they say; those in `values` take a value of that name. */
  readonly options: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, string>>;
  readonly run: (request: Request, io: CommandIo) => Promise<ExitCode>;
}

export const program = 'openmesh-client';
const standard = { json: 'print JSON', help: 'print this' } as const;

export function helpOf({ name, aliases = [], usage, about, options, values = {} }: Command): string {
  const list = Object.entries({ ...options, ...standard }).map(([option, says]) => {
    const value = values[option];
    return [`--${option}${value === undefined ? '' : ` ${value}`}`, says] as const;
  });
  const width = Math.max(...list.map(([option]) => option.length));
  return [
    `usage: ${program} ${name} ${usage}`.trimEnd(),
    '',
    about,
    ...(aliases.length === 0 ? [] : ['', `Also: ${aliases.join(', ')}.`]),
    '',
    ...list.map(([option, says]) => `  ${option.padEnd(width)}  ${says}`),
    '',
    'Exit codes: 0 done, 1 configuration, 3 another process works on the folder, 4 key store, 5 the answer is no,',
    '64 usage, 69 the service cannot be reached or the disk of the journal not be used, 70 a defect, 73 standard output',
    'cannot be written.',
    '',
  ].join('\n');
}

/** The request in these arguments; a sentence where they are wrong. */
export function parseRequest(
  { options, values = {}, positionals: [min, max] }: Command,
  args: readonly string[],
): Request | { readonly wrong: string } | 'help' {
  const described = Object.keys({ ...options, ...standard }).map((option) => [
    option,
    { type: option in values ? ('string' as const) : ('boolean' as const) },
  ]);
  try {
    const parsed = parseArgs({
      args: [...args],
      options: Object.fromEntries(described) as Record<string, { type: 'string' | 'boolean' }>,
      allowPositionals: true,
    });
    const { json, help, ...given } = parsed.values;
    if (help === true) return 'help';
    if (parsed.positionals.length < min) return { wrong: 'an argument is missing' };
    if (parsed.positionals.length > max) return { wrong: 'there are too many arguments' };
    const texts = Object.entries(given).map(([option, value]) => [option, value === true ? '' : String(value)]);
    return {
      positionals: parsed.positionals,
      json: json === true,
      options: Object.fromEntries(texts) as Request['options'],
    };
  } catch (error) {
    // The first sentence names the option and never its value.
    return { wrong: (error as Error).message.split('. ')[0] ?? 'the arguments are wrong' };
  }
}
