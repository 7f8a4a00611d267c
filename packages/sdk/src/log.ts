/** Something a person who operates the program should know. Holds no personal data and no secret. */
export interface LogEntry {
  readonly level: 'warning' | 'notice';
  readonly event: 'server-certificate-not-verified' | 'plain-http' | 'retrying';
  readonly text: string;
}

export type Log = (entry: LogEntry) => void;

/** Where warnings go when nobody asked for them. */
export const warnOnly: Log = (entry) => {
  if (entry.level === 'warning') process.emitWarning(entry.text, { type: 'MeshWarning', code: entry.event });
};
