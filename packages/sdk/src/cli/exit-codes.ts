import type { MeshError } from '../errors/mesh-error.ts';

/** How a command ends; the numbers above 2 are those of sysexits.h. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** The service said no, or a check of the doctor failed: repeating it unchanged gives the same. */
  refused: 1,
  /** Nobody knows whether it took effect: look before repeating it. */
  unknown: 2,
  /** The command line is wrong. */
  usage: 64,
  /** A file cannot be read or written, or does not hold what it should. */
  file: 66,
  /** The service cannot be reached, or is busy: the same command may work later. */
  unavailable: 69,
  /** A setting is missing or cannot be used. */
  config: 78,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command that cannot go on, with a sentence that says what to do next. */
export class CommandRefusal extends Error {
  override readonly name = 'CommandRefusal';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The exit code of an error of the SDK. */
export function exitCodeOf({ code, class: errorClass }: MeshError): ExitCode {
  switch (code) {
    case 'payload-empty':
    case 'payload-unreadable':
    case 'payload-changed':
    case 'file-unusable':
    case 'state-unusable':
      return exitCodes.file;
    case 'invalid-option':
    case 'client-certificate-unusable':
      return exitCodes.config;
    case 'aborted':
    case 'aborted-midway':
      return exitCodes.interrupted;
    default:
      return byClass[errorClass];
  }
}

const byClass = {
  permanent: exitCodes.refused,
  transient: exitCodes.unavailable,
  ambiguous: exitCodes.unknown,
} as const;
