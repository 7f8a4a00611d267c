import {
  continueFromLengthMax,
  inboxPageDefault,
  inboxPageMax,
  inboxPageMin,
  type MessageId,
  parseMessageId,
  workflowFilterLengthMax,
  workflowFilterLengthMin,
} from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import type { CallOptions } from '../options.ts';
import { askJson, type Session } from '../session.ts';

export interface InboxQuery {
  /** 10 to 5000 of a page; 500 when absent. */
  readonly maxResults?: number | undefined;
  /** `x` is, `x*` begins with, `*x*` contains; `!` before it negates. 2 to 255 characters. */
  readonly workflowFilter?: string | undefined;
  /** `next` of the page before. */
  readonly continueFrom?: string | undefined;
}

export interface InboxPage {
  /** Oldest first. A page of a filtered list may be empty though `next` is there. */
  readonly messages: readonly MessageId[];
  /** How many more the page lists whose ids are none of this protocol: they cannot be asked for. */
  readonly unusable: number;
  /** How many wait in the whole inbox, whatever the filter; may lag behind. */
  readonly approximateCount: number | undefined;
  /** For `continueFrom`; undefined on the last page. */
  readonly next: string | undefined;
}

/** One page of an inbox. */
export async function listInbox(session: Session, query: InboxQuery, { signal }: CallOptions): Promise<InboxPage> {
  const path = `/inbox${queryText(query)}`;
  const json = await askJson(
    session,
    { isRepeatable: true },
    { operation: 'list', method: 'GET', path, accepts: [200], signal },
  );
  return readPage(json);
}

/**
 * Every waiting id, page after page. Ends with an error when pages repeat themselves or are more than the limit, and, once
 * all others were handed out, when the inbox lists what is no message id.
 */
export async function* walkInbox(
  session: Session,
  query: Omit<InboxQuery, 'continueFrom'>,
  options: CallOptions,
): AsyncGenerator<MessageId, void, undefined> {
  const seen = new Set<string>();
  let continueFrom: string | undefined;
  let unusable = 0;
  for (let pages = 0; pages < session.limits.inboxPages; pages += 1) {
    const page = await listInbox(session, { ...query, continueFrom }, options);
    yield* page.messages;
    unusable += page.unusable;
    if (page.next === undefined) {
      if (unusable > 0) throw unexpected(`${unusable} of what it lists is no message id; all else was handed out`);
      return;
    }
    if (seen.has(page.next)) throw unexpected('its pages lead in a circle');
    seen.add(page.next);
    continueFrom = page.next;
  }
  throw unexpected(`it has more pages than the limit inboxPages of ${session.limits.inboxPages}`);
}

/** How many messages wait in the inbox. */
export async function countInbox(session: Session, { signal }: CallOptions): Promise<number> {
  const json = await askJson(
    session,
    { isRepeatable: true },
    { operation: 'count', method: 'GET', path: '/count', accepts: [200], signal },
  );
  const count = (json as Readonly<Record<string, unknown>> | null | undefined)?.['count'];
  if (typeof count !== 'number') throw clientError('unexpected-answer', 'count', { detail: 'it counts nothing' });
  return count;
}

function queryText({ maxResults = inboxPageDefault, workflowFilter, continueFrom }: InboxQuery): string {
  if (!Number.isSafeInteger(maxResults) || maxResults < inboxPageMin || maxResults > inboxPageMax) {
    invalid(`maxResults must be from ${inboxPageMin} to ${inboxPageMax}`);
  }
  const { length = workflowFilterLengthMin } = workflowFilter ?? {};
  if (length < workflowFilterLengthMin || length > workflowFilterLengthMax) {
    invalid(`workflowFilter takes ${workflowFilterLengthMin} to ${workflowFilterLengthMax} characters`);
  }
  const parameters = new URLSearchParams();
  if (maxResults !== inboxPageDefault) parameters.set('max_results', String(maxResults));
  if (workflowFilter !== undefined) parameters.set('workflow_filter', workflowFilter);
  if (continueFrom !== undefined) parameters.set('continue_from', continueFrom);
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function readPage(json: unknown): InboxPage {
  const page = json as Readonly<Record<string, unknown>> | null | undefined;
  if (!Array.isArray(page?.['messages'])) throw unexpected('it lists no messages');
  const listed: readonly unknown[] = page['messages'];
  const messages = listed
    .map((raw) => (typeof raw === 'string' ? parseMessageId(raw) : undefined))
    .filter((id) => id !== undefined);
  const count = page['approx_inbox_count'];
  const links = page['links'] as Readonly<Record<string, unknown>> | null | undefined;
  return {
    messages,
    unusable: listed.length - messages.length,
    approximateCount: typeof count === 'number' ? count : undefined,
    next: readNext(links?.['next']),
  };
}

/** Only the token is taken from the link: whatever else it says, the next request goes where this one went. */
function readNext(link: unknown): string | undefined {
  if (link === undefined || link === null || link === '') return undefined;
  const token = typeof link === 'string' ? new URLSearchParams(link.split('?')[1] ?? '').get('continue_from') : null;
  if (token === null || token === '' || token.length > continueFromLengthMax)
    throw unexpected('its next page has no address');
  return token;
}

function unexpected(detail: string): Error {
  return clientError('unexpected-answer', 'list', { detail });
}

function invalid(detail: string): never {
  throw clientError('invalid-option', 'list', { detail });
}
