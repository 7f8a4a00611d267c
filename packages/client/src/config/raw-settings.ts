/** One value as somebody wrote it, and where. */
export interface RawSetting {
  /** As it is spelt in the file, for messages. */
  readonly spelt: string;
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface RawMailbox {
  readonly line: number;
  readonly settings: ReadonlyMap<string, RawSetting>;
}

/** A configuration file of either format, read but not judged: names are those of our own settings tables. */
export interface RawConfig {
  readonly file: string;
  readonly format: 'meshclient.cfg' | 'yaml';
  readonly settings: ReadonlyMap<string, RawSetting>;
  readonly mailboxes: readonly RawMailbox[];
  /** What an operator should know and that stops nothing. */
  readonly warnings: readonly ConfigProblem[];
}

/** What is wrong with a setting, as a sentence that never repeats a value. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  /** As it is spelt in the file; empty when it is about the file as a whole. */
  readonly setting: string;
  readonly problem: string;
}

/** The configuration cannot be used. */
export class ConfigFault extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.name = 'ConfigFault';
    this.problems = problems;
  }
}

/** `FILE:LINE: SETTING problem`. */
export function describeProblem({ file, line, setting, problem }: ConfigProblem): string {
  return `${file}:${line}: ${setting === '' ? 'the file' : setting} ${problem}`;
}
