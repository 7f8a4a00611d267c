/** What is checked, in the order in which it is: each stands on those before it. */
export type CheckName =
  | 'options'
  | 'name'
  | 'proxy'
  | 'connection'
  | 'server-certificate'
  | 'client-certificate'
  | 'service'
  | 'clock'
  | 'mailbox'
  | 'inbox'
  | 'workflow';

export const checkNames: readonly CheckName[] = [
  'options',
  'name',
  'proxy',
  'connection',
  'server-certificate',
  'client-certificate',
  'service',
  'clock',
  'mailbox',
  'inbox',
  'workflow',
];

/** `warning`: works today, and needs somebody soon. `skipped`: does not apply, or stands on something that failed. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Check {
  readonly name: CheckName;
  readonly status: CheckStatus;
  /** One sentence; no secret, no personal data. */
  readonly finding: string;
  /** What to do about a warning or a failure, and who can. */
  readonly fix: string | undefined;
}

export interface Diagnosis {
  readonly checks: readonly Check[];
  /** No check failed. */
  readonly isHealthy: boolean;
}

export function ok(name: CheckName, finding: string): Check {
  return { name, status: 'ok', finding, fix: undefined };
}

export function skipped(name: CheckName, finding: string): Check {
  return { name, status: 'skipped', finding, fix: undefined };
}

export function warning(name: CheckName, finding: string, fix: string): Check {
  return { name, status: 'warning', finding, fix };
}

export function failed(name: CheckName, finding: string, fix: string): Check {
  return { name, status: 'failed', finding, fix };
}
