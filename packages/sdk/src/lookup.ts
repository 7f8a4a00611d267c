import { clientError } from './errors/client-errors.ts';
import type { OperationName } from './errors/mesh-error.ts';
import type { CallOptions } from './options.ts';
import { askJson, type Session } from './session.ts';

/** A mailbox that a lookup found. */
export interface Endpoint {
  readonly mailboxId: string;
  readonly mailboxName: string;
}

/** Mailboxes of an organisation that may receive a workflow; none is an empty list. */
export async function lookupEndpoint(
  session: Session,
  odsCode: string,
  workflowId: string,
  options: CallOptions,
): Promise<readonly Endpoint[]> {
  const path = `/messageexchange/endpointlookup/${segment(odsCode, 'odsCode')}/${segment(workflowId, 'workflowId')}`;
  return find(session, 'lookup', path, options);
}

/** Every mailbox that may receive a workflow. */
export async function searchWorkflow(
  session: Session,
  workflowId: string,
  options: CallOptions,
): Promise<readonly Endpoint[]> {
  const path = `/messageexchange/workflowsearch/${segment(workflowId, 'workflowId')}`;
  return find(session, 'search-workflow', path, options);
}

async function find(
  session: Session,
  operation: OperationName,
  path: string,
  { signal }: CallOptions,
): Promise<readonly Endpoint[]> {
  const json = await askJson(
    session,
    { isRepeatable: true },
    { operation, method: 'GET', path, isPublic: true, accepts: [200], signal },
  );
  const results = (json as Readonly<Record<string, unknown>> | null | undefined)?.['results'];
  if (!Array.isArray(results)) throw clientError('unexpected-answer', operation, { detail: 'it has no results' });
  return results.map((result: unknown) => readEndpoint(result, operation));
}

/** Of either version. */
function readEndpoint(result: unknown, operation: OperationName): Endpoint {
  const found = result as Readonly<Record<string, unknown>> | null;
  const mailboxId = found?.['mailbox_id'] ?? found?.['address'];
  const mailboxName = found?.['mailbox_name'] ?? found?.['description'] ?? '';
  if (typeof mailboxId !== 'string' || typeof mailboxName !== 'string') {
    throw clientError('unexpected-answer', operation, { detail: 'a result names no mailbox' });
  }
  return { mailboxId, mailboxName };
}

function segment(text: string, option: string): string {
  const trimmed = text.trim();
  // A path segment of dots would be taken for the folder itself or the one above it.
  if (trimmed === '' || /^\.{1,2}$/.test(trimmed) || /[\ud800-\udfff]/u.test(trimmed)) {
    throw clientError('invalid-option', 'lookup', { detail: `${option} is missing or cannot be part of an address` });
  }
  return encodeURIComponent(trimmed);
}
