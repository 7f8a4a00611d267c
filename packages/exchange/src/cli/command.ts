/** What a command may touch of the outside world; files excepted, which it names by its own arguments. */
export interface CommandIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One file per admin command exports one of these. `run` never throws for a user's mistake: it prints and returns a code. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

/** Exit codes every command documents and keeps to; the numbers are those of sysexits.h. */
export const exitCodes = {
  ok: 0,
  /** The command did its work, and the answer is no. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 64,
  /** The command line is well formed, but a value in it or in a file it names is not acceptable. */
  badInput: 65,
  /** The ledger or another service cannot be reached. */
  unavailable: 69,
  /** A file cannot be created: it exists, or the folder refuses. */
  cannotCreate: 73,
  /** What is already configured or stored cannot be worked with. */
  config: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
