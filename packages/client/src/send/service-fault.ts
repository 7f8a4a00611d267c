import { MeshError } from '@openmesh/sdk';
import type { Verdict } from '../control-file/outcomes.ts';

/**
 * What an error of a call means for the work at hand.
 *
 * - `refused`: the service will never take this pair; its own words say why.
 * - `mailbox`: nothing of this mailbox goes through until somebody mends certificate, password or URL.
 * - `passing`: the service or the way to it is down; everything waits.
 * - `stopped`: we are ending.
 * - `local`: a file could not be read; it is looked at again.
 */
export type FaultKind = 'refused' | 'mailbox' | 'passing' | 'stopped' | 'local';

export interface ServiceFault {
  readonly kind: FaultKind;
  /** Of the catalogue, for the log. */
  readonly code: string;
  /** A sentence without personal data. */
  readonly text: string;
  readonly hint: string;
  readonly retryAfterMs: number | undefined;
  /** Of a refusal. */
  readonly verdict: Verdict | undefined;
  readonly messageId: string | undefined;
}

const refusalStatuses = new Set([400, 406, 413, 417, 422]);
const notAuthenticated = new Set([401, 403, 407]);

/** Sorts an error of the SDK. Throws what is none: that is a defect, or a fault of the disk. */
export function readFault(error: unknown): ServiceFault {
  if (!(error instanceof MeshError)) throw error;
  const kind = kindOf(error);
  return {
    kind,
    code: error.code,
    text: error.message,
    hint: error.hint,
    retryAfterMs: error.retryAfterMs,
    verdict: kind === 'refused' ? verdictOf(error) : undefined,
    messageId: error.messageId,
  };
}

/** Whether the server's certificate, and not our own identity, is what stands in the way. */
export function isServerNotTrusted({ code }: ServiceFault): boolean {
  return code === 'server-certificate-rejected';
}

function kindOf(error: MeshError): FaultKind {
  const { code, status } = error;
  if (code === 'aborted' || code === 'aborted-midway') return 'stopped';
  if (code.startsWith('payload-')) return 'local';
  if (status !== undefined && notAuthenticated.has(status)) return 'mailbox';
  if (code.includes('certificate')) return 'mailbox';
  if (status !== undefined && refusalStatuses.has(status)) return 'refused';
  if (code === 'invalid-option') return 'refused';
  if (error.class === 'permanent') return 'mailbox';
  return 'passing';
}

/** The service's own event, code and text where it gave them. */
function verdictOf({ wire, fields }: MeshError): Verdict {
  const named = fields.map(({ where, problem }) => `${where}: ${problem}`).join('; ');
  return {
    event: wire?.event || 'TRANSFER',
    status: 'ERROR',
    statusCode: wire?.code || '06',
    description: wire?.text || (named === '' ? 'Malformed control file.' : named),
  };
}
