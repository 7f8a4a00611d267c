import { handshakeTextLengthMax } from './limits.ts';
import type { HeaderLookup } from './send-headers.ts';
import { missing, type RequestFailure, type ValidationDetail } from './validation.ts';

/** What a caller says about itself; free text for people, cut to 300 characters. */
export interface HandshakeHeaders {
  readonly clientVersion: string;
  readonly osName: string;
  readonly osVersion: string;
  readonly osArchitecture: string | undefined;
  readonly javaVersion: string | undefined;
  readonly userAgent: string | undefined;
}

export type HandshakeHeadersReading =
  | { readonly ok: true; readonly handshake: HandshakeHeaders }
  | { readonly ok: false; readonly failure: RequestFailure };

/** Reads the headers of a handshake. Client version, system name and system version must be present but may be empty. */
export function parseHandshakeHeaders(header: HeaderLookup): HandshakeHeadersReading {
  const clientVersion = header('mex-clientversion');
  const osName = header('mex-osname');
  const osVersion = header('mex-osversion');
  if (clientVersion === undefined || osName === undefined || osVersion === undefined) {
    const details: ValidationDetail[] = [];
    if (clientVersion === undefined) details.push(missing(['header', 'mex-clientversion']));
    if (osName === undefined) details.push(missing(['header', 'mex-osname']));
    if (osVersion === undefined) details.push(missing(['header', 'mex-osversion']));
    return { ok: false, failure: { kind: 'validation', details } };
  }
  const handshake: HandshakeHeaders = {
    clientVersion: clientVersion.slice(0, handshakeTextLengthMax),
    osName: osName.slice(0, handshakeTextLengthMax),
    osVersion: osVersion.slice(0, handshakeTextLengthMax),
    osArchitecture: optionalText(header('mex-osarchitecture')),
    javaVersion: optionalText(header('mex-javaversion')),
    // One widespread client spells the header with an underscore.
    userAgent: optionalText(header('user-agent') ?? header('user_agent')),
  };
  return { ok: true, handshake };
}

function optionalText(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value.slice(0, handshakeTextLengthMax);
}
