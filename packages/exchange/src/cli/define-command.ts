import { parseArgs } from 'node:util';
import { BodyStoreProblem } from '../store/body-store-problem.ts';
import { LedgerFault } from '../store/ledger.ts';
import { LedgerProblem } from '../store/ledger-problem.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command that ends with a sentence for the operator, saying what to do next, and an exit code. */
export class CommandRefusal extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.name = 'CommandRefusal';
    this.exitCode = exitCode;
  }
}

export interface OptionSpec {
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly says: string;
}

type Options = Readonly<Record<string, OptionSpec>>;

export interface Request<O extends Options> {
  readonly positionals: readonly string[];
  readonly json: boolean;
  /** The options' values; a switch is '' when given. */
  readonly options: { readonly [Name in keyof O]?: string };
}

export interface CommandSpec<O extends Options> {
  /** The words that call it, e.g. 'mailbox add'. */
  readonly path: string;
  readonly summary: string;
  /** One paragraph under the usage line. */
  readonly about: string;
  /** Names of the positional arguments, all of them needed. */
  readonly positionals: readonly string[];
  readonly options: O;
  /** What each exit code means here, besides 0 and 64. */
  readonly exits: Partial<Record<keyof typeof exitCodes, string>>;
  readonly run: (request: Request<O>, io: CommandIo) => Promise<ExitCode>;
}

export const program = 'openmesh-exchange';

const standardOptions = {
  json: { says: 'print JSON' },
  help: { says: 'print this' },
} as const satisfies Options;

function usageLine({ path, positionals, options }: CommandSpec<Options>): string {
  const optional = Object.keys(options).length > 0 ? ' [OPTION…]' : '';
  return [`${program} ${path}`, ...positionals].join(' ') + optional;
}

function renderHelp(spec: CommandSpec<Options>): string {
  const options = Object.entries({ ...spec.options, ...standardOptions } as Options).map(
    ([name, { value, says }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, says] as const,
  );
  const width = Math.max(...options.map(([name]) => name.length));
  const exits = Object.entries(spec.exits).map(([name, says]) => [exitCodes[name as keyof typeof exitCodes], says]);
  const codes = [[0, 'done'], [exitCodes.usage, 'wrong usage'], ...exits].sort(([a], [b]) => Number(a) - Number(b));
  return [
    `usage: ${usageLine(spec)}`,
    '',
    spec.about,
    '',
    ...options.map(([name, says]) => `  ${name.padEnd(width)}  ${says}`),
    '',
    `Exit codes: ${codes.map(([code, says]) => `${code} ${says}`).join(', ')}.`,
    '',
  ].join('\n');
}

type Parsed<O extends Options> = Request<O> | 'help' | { readonly problem: string };

function parse<O extends Options>(spec: CommandSpec<O>, args: readonly string[]): Parsed<O> {
  const options = Object.fromEntries(
    Object.entries({ ...(spec.options as Options), ...standardOptions }).map(([name, option]) => [
      name,
      { type: 'value' in option ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values['help'] === true) return 'help';
    if (positionals.length < spec.positionals.length) {
      return { problem: `${spec.positionals.slice(positionals.length).join(' and ')} missing` };
    }
    if (positionals.length > spec.positionals.length) return { problem: 'too many arguments' };
    const { json, help: _help, ...given } = values;
    const texts = Object.entries(given).map(([name, value]) => [name, value === true ? '' : String(value)]);
    return { positionals, json: json === true, options: Object.fromEntries(texts) as Request<O>['options'] };
  } catch (error) {
    // Node's sentence names the option and never its value; what follows the first sentence is advice for programmers.
    const [sentence] = (error instanceof Error ? error.message : '').split('. ');
    return { problem: sentence ?? '' };
  }
}

function exitCodeOf(fault: LedgerFault): ExitCode {
  switch (fault.kind) {
    case 'full':
    case 'unavailable':
      return exitCodes.unavailable;
    case 'broken':
    case 'defect':
      return exitCodes.failed;
  }
}

function adviceOn(fault: LedgerFault): string {
  switch (fault.kind) {
    case 'full':
      return 'nothing was changed; free space on its disk and try again';
    case 'unavailable':
      return 'nothing was changed; try again in a moment';
    case 'broken':
      return 'whether it was changed is not known; look with "audit list" before trying again';
    case 'defect':
      return 'nothing was changed; this is a defect, please report it';
  }
}

/**
 * Makes a command from its description: help, options, --json, --help, exit codes. A `CommandRefusal`, a
 * `LedgerFault`, a `LedgerProblem` or a `BodyStoreProblem` that `run` throws becomes a sentence on stderr and an exit
 * code; anything else is a defect and passes.
 */
export function defineCommand<O extends Options>(spec: CommandSpec<O>): Command {
  const help = renderHelp(spec);
  return {
    name: spec.path.slice(spec.path.lastIndexOf(' ') + 1),
    summary: spec.summary,
    help,
    async run(args, io) {
      const request = parse(spec, args);
      if (request === 'help') {
        io.stdout(help);
        return exitCodes.ok;
      }
      if ('problem' in request) {
        io.stderr(`${spec.path}: ${request.problem}; see "${program} ${spec.path} --help"\n`);
        return exitCodes.usage;
      }
      try {
        return await spec.run(request, io);
      } catch (error) {
        if (error instanceof CommandRefusal) {
          io.stderr(`${spec.path}: ${error.message}\n`);
          return error.exitCode;
        }
        if (error instanceof BodyStoreProblem) {
          io.stderr(`${spec.path}: ${error.message}\n`);
          return error.kind === 'unreachable' || error.kind === 'failed' ? exitCodes.unavailable : exitCodes.config;
        }
        if (error instanceof LedgerProblem) {
          io.stderr(`${spec.path}: ${error.message}\n`);
          return error.kind === 'unreachable' ? exitCodes.unavailable : exitCodes.config;
        }
        if (!(error instanceof LedgerFault)) throw error;
        io.stderr(`${spec.path}: the ledger answers "${error.message}": ${adviceOn(error)}\n`);
        return exitCodeOf(error);
      }
    },
  };
}

export interface CommandGroup extends Command {
  readonly commands: readonly Command[];
}

/** A command of commands: `mailbox` with `add`, `list`, …; the first argument chooses. */
export function groupCommands(name: string, summary: string, commands: readonly Command[]): CommandGroup {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  const see = `"${program} ${name} COMMAND --help" says more of one.`;
  const help = `usage: ${program} ${name} COMMAND …\n\n${lines.join('\n')}\n\n${see}\n`;
  return {
    name,
    summary,
    help,
    commands,
    run(args, io) {
      const [word, ...rest] = args;
      const command = commands.find((candidate) => candidate.name === word);
      if (command !== undefined) return command.run(rest, io);
      if (word === '--help') {
        io.stdout(help);
        return Promise.resolve(exitCodes.ok);
      }
      io.stderr(`${word === undefined ? 'a command is missing' : 'no such command'}\n${help}`);
      return Promise.resolve(exitCodes.usage);
    },
  };
}
