import { type Command, connectionOptions, type Options, standardOptions } from './command.ts';
import { exitCodes } from './exit-codes.ts';

const width = 100;

const exitSentences: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  refused: 'the service said no, nothing was found, or a check failed; the same again gives the same',
  unknown: 'nobody knows whether it took effect: look before repeating it',
  usage: 'the command line is wrong',
  file: 'a file cannot be read or written, or does not hold what it should',
  unavailable: 'the service cannot be reached or is busy; the same may work later',
  config: 'a setting is missing or cannot be used',
  interrupted: 'ended by Ctrl-C',
};

/** What `mesh --help` prints. */
export function programHelp(commands: readonly Command[]): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}`);
  return [
    'usage: mesh COMMAND [OPTION…]',
    '',
    'Sends, collects and tracks messages of one mailbox of a MESH service.',
    '',
    ...lines,
    '',
    '"mesh COMMAND --help" says more. Every command takes these, from the command line or the environment [in brackets];',
    'secrets are read from files or the environment and printed nowhere:',
    '',
    ...optionLines({ ...connectionOptions, ...standardOptions }),
    '',
    'exit codes:',
    ...exitLines(),
    '',
  ].join('\n');
}

/** What `mesh COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const words = [`usage: mesh ${command.name}`, ...command.positionals, '[OPTION…]'].join(' ');
  const options = Object.keys(command.options).length === 0 ? [] : ['', ...optionLines(command.options)];
  return [
    words,
    '',
    ...wrapped(command.about),
    ...options,
    '',
    'Which mailbox, where, and the exit codes: "mesh --help".',
    '',
  ].join('\n');
}

function optionLines(options: Options): readonly string[] {
  const left = Object.entries(options).map(
    ([name, { value, says }]) => [`  --${name}${value === undefined ? '' : ` ${value}`}`, says] as const,
  );
  const column = Math.min(30, Math.max(...left.map(([text]) => text.length)) + 2);
  return left.flatMap(([text, says]) =>
    text.length > column - 2 ? [text, `${' '.repeat(column)}${says}`] : [`${text.padEnd(column)}${says}`],
  );
}

function exitLines(): readonly string[] {
  return Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${exitSentences[name as keyof typeof exitCodes]}`,
  );
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
