import { clientError } from './errors/client-errors.ts';
import type { CallOptions } from './options.ts';
import { messageHeaders } from './send/outgoing-message.ts';
import { askJson, type Session } from './session.ts';

/** A message that might be sent. */
export interface PreflightQuestion {
  /** A mailbox id, or `GPPROVIDER_{nhsNumber}_{dateOfBirth}_{surname}`. */
  readonly to: string;
  readonly workflowId: string;
  /** Of the whole message; 0 when absent. */
  readonly sizeBytes?: number | undefined;
  /** In how many chunks it would be sent; 1 when absent. */
  readonly totalChunks?: number | undefined;
}

export interface PreflightObjection {
  readonly event: string;
  /** The code that the refusal of the send, or the report about it, would carry. */
  readonly code: string;
  readonly text: string;
  readonly hint: string;
}

export interface Preflight {
  /** A send would be answered with an id; with objections beside it, a report would follow. */
  readonly isAccepted: boolean;
  /** The mailbox addressed; undefined when there is none, or when it is found only after the send. */
  readonly recipient: string | undefined;
  readonly objections: readonly PreflightObjection[];
  /** Stable words, such as `deprecated-workflow`. */
  readonly warnings: readonly string[];
}

/**
 * Asks whether a message would be accepted, without sending it. An extension of OpenMESH: other services refuse the
 * question as unknown. The address travels in a header, for it may be a patient's.
 */
export async function preflight(
  session: Session,
  question: PreflightQuestion,
  { signal }: CallOptions,
): Promise<Preflight> {
  const { to, workflowId, sizeBytes = 0, totalChunks = 1 } = question;
  const headers = {
    ...messageHeaders({ to, workflowId }, session.mailbox),
    'mex-chunk-range': `1:${whole(totalChunks, 'totalChunks', 1)}`,
    'openmesh-message-bytes': String(whole(sizeBytes, 'sizeBytes', 0)),
  };
  const path = '/preflight';
  const call = { operation: 'preflight', method: 'POST', path, headers, accepts: [200], signal } as const;
  const json = (await askJson(session, { isRepeatable: true }, call)) as Partial<WirePreflight> | null | undefined;
  if (typeof json?.accepted !== 'boolean' || !Array.isArray(json.errors) || !Array.isArray(json.warnings)) {
    throw clientError('unexpected-answer', 'preflight', { detail: 'it does not say whether it would be accepted' });
  }
  return {
    isAccepted: json.accepted,
    recipient: typeof json.recipient === 'string' ? json.recipient : undefined,
    objections: json.errors.map(({ event, code, msg, hint }) => ({ event, code, text: msg, hint })),
    warnings: json.warnings.map(String),
  };
}

interface WirePreflight {
  readonly accepted: boolean;
  readonly recipient: string;
  readonly errors: readonly { readonly event: string; code: string; readonly msg: string; readonly hint: string }[];
  readonly warnings: readonly string[];
}

function whole(value: number, option: string, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw clientError('invalid-option', 'preflight', { detail: `${option} must be a whole number from ${min}` });
}
