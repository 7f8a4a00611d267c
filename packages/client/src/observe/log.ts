export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One thing that happened. Texts and fields hold no subject, no file name, no address, no reference, no secret. */
export interface LogLine {
  readonly level: LogLevel;
  /** Stable name of what happened, for machines; docs/operate/client.md lists those an operator must act on. */
  readonly event: string;
  /** As the Java client would name the part that speaks. */
  readonly component: string;
  /** The mailbox whose work it is; the process itself when absent. */
  readonly mailbox?: string | undefined;
  /** A sentence for people. */
  readonly text: string;
  readonly fields?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
}

export type Log = (line: LogLine) => void;
