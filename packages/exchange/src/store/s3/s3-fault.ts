import { BodyFault, type BodyFaultKind } from '../bodies.ts';

/** What of an S3 client's error is looked at. */
interface S3Error {
  readonly name: string;
  readonly status: number | undefined;
  /** The system's code of a connection that failed. */
  readonly code: string;
}

export function describeS3Error(error: unknown): S3Error {
  if (!(error instanceof Error)) return { name: 'unknown error', status: undefined, code: '' };
  const status = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { name: error.name, status, code };
}

/** Whether the store said that there is no such object. */
export function isMissing(error: unknown): boolean {
  const { name } = describeS3Error(error);
  return name === 'NoSuchKey' || name === 'NotFound';
}

/** Turns what the client threw into the fault the port promises; a `BodyFault` passes as it is. Never names a key. */
export function s3Fault(doing: string, error: unknown, block?: number): BodyFault {
  if (error instanceof BodyFault) return error;
  const { name, status, code } = describeS3Error(error);
  const options = block === undefined ? { cause: error } : { cause: error, block };
  const said = [name, status, code].filter((part) => part !== undefined && part !== '').join(' ');
  return new BodyFault(kindOf(name, status), `the object store failed while ${doing} (${said})`, options);
}

function kindOf(name: string, status: number | undefined): BodyFaultKind {
  if (status === 507 || name === 'QuotaExceeded' || name === 'XMinioStorageFull') return 'disk-full';
  if (name === 'SlowDown' || status === 429) return 'busy';
  return 'io';
}
