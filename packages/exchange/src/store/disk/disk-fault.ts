import { BodyFault } from '../bodies.ts';
import { errorCode } from './file-system.ts';

/** Turns what the file system threw into the fault the port promises; a `BodyFault` passes as it is. */
export function diskFault(doing: string, error: unknown, block?: number): BodyFault {
  if (error instanceof BodyFault) return error;
  const options = block === undefined ? { cause: error } : { cause: error, block };
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new BodyFault('disk-full', `no space left while ${doing}`, options);
    default:
      return new BodyFault('io', `the disk failed while ${doing}`, options);
  }
}
