import { jsonContentType } from './accept.ts';
import type { MailboxId, MessageId } from './identifiers.ts';
import { inboxPageDefault, richInboxPageDefault } from './limits.ts';
import type { ApiVersion } from './profile.ts';

/** An answer ready to be written; an empty body has no content type. */
export interface WireAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
}

const BASE_PATH = '/messageexchange';
const JSON_TYPE = 'application/json';

/** 200: version 1 names the mailbox, version 2 is empty. */
export function handshakeBody(mailboxId: MailboxId, version: ApiVersion): WireAnswer {
  return version === 1 ? json(200, 1, { mailboxId }) : emptyAnswer(200);
}

/** 202: the first or only chunk is kept. */
export function sendBody(messageId: MessageId, version: ApiVersion): WireAnswer {
  return json(202, version, version === 1 ? { messageID: messageId } : { message_id: messageId });
}

/** 202: a later chunk is kept. Always an object, because clients dereference it. */
export function chunkBody(messageId: MessageId, chunk: number, version: ApiVersion): WireAnswer {
  return json(202, version, version === 1 ? { messageID: messageId, blockID: chunk } : { message_id: messageId });
}

/** 200: version 1 names the message in a third spelling, version 2 is empty. */
export function acknowledgeBody(messageId: MessageId, version: ApiVersion): WireAnswer {
  return version === 1 ? json(200, 1, { messageId }) : emptyAnswer(200);
}

export interface InboxListView {
  readonly mailboxId: MailboxId;
  readonly messages: readonly MessageId[];
  readonly maxResults: number;
  readonly workflowFilterText: string | undefined;
  /** The token of the next page; undefined when nothing remains. */
  readonly nextToken: string | undefined;
  /** Messages waiting in the whole inbox, whatever the filter; clients fetch nothing while it is 0. */
  readonly approximateCount: number;
}

/** 200: the ids of a page; version 2 adds links, which are path-absolute, and the count. */
export function inboxListBody(view: InboxListView, version: ApiVersion): WireAnswer {
  if (version === 1) return json(200, 1, { messages: view.messages });
  const path = `${BASE_PATH}/${view.mailboxId}/inbox`;
  const parameters: QueryParameter[] = [
    ['max_results', view.maxResults === inboxPageDefault ? undefined : String(view.maxResults)],
    ['workflow_filter', view.workflowFilterText],
  ];
  return json(200, 2, {
    messages: view.messages,
    links: pageLinks(path, parameters, view.nextToken),
    approx_inbox_count: view.approximateCount,
  });
}

/** 200: how many messages wait; `internalId` is shown in version 1. */
export function countBody(count: number, internalId: string, version: ApiVersion): WireAnswer {
  return json(200, version, version === 1 ? { count, internalID: internalId, allResultsIncluded: true } : { count });
}

/** A mailbox found by a lookup. */
export interface Endpoint {
  readonly mailboxId: MailboxId;
  readonly mailboxName: string;
  /** Told to callers who ask for it only: an extension of ours. */
  readonly details?: EndpointDetails;
}

export interface EndpointDetails {
  readonly odsCode: string;
  readonly active: boolean;
  /** May receive messages of more than one chunk. */
  readonly receivesChunked: boolean;
  /** Undefined where the directory does not know the organisation. */
  readonly organisationName: string | undefined;
  readonly organisationActive: boolean | undefined;
  /** Codes of the organisations that came after it. */
  readonly successors: readonly string[];
}

function detailsOf({ details }: Endpoint): object {
  if (details === undefined) return {};
  return {
    ods_code: details.odsCode,
    active: details.active,
    receives_chunked: details.receivesChunked,
    organisation_name: details.organisationName,
    organisation_active: details.organisationActive,
    successors: details.successors,
  };
}

/** 200: the mailboxes of an organisation that may receive a workflow; `queryId` is shown in version 1. */
export function endpointLookupBody(endpoints: readonly Endpoint[], queryId: string, version: ApiVersion): WireAnswer {
  if (version === 2) return workflowSearchBody(endpoints, 2);
  const results = endpoints.map((endpoint) => ({
    address: endpoint.mailboxId,
    description: endpoint.mailboxName,
    endpoint_type: 'MESH',
    ...detailsOf(endpoint),
  }));
  return json(200, 1, { query_id: queryId, results });
}

/** 200: the receivers of a workflow, the same shape in both versions. */
export function workflowSearchBody(endpoints: readonly Endpoint[], version: ApiVersion): WireAnswer {
  const results = endpoints.map((endpoint) => ({
    mailbox_id: endpoint.mailboxId,
    mailbox_name: endpoint.mailboxName,
    ...detailsOf(endpoint),
  }));
  return json(200, version, { results });
}

export interface MailboxView {
  readonly mailboxId: MailboxId;
  readonly mailboxName: string;
  readonly billingEntity: string | undefined;
  readonly odsCode: string;
  readonly orgCode: string;
  readonly orgName: string;
  readonly active: boolean;
}

/** 200: the details of a mailbox (sandbox only, since nobody is asked who they are). */
export function mailboxBody(view: MailboxView): WireAnswer {
  return plainJson({
    mailbox_id: view.mailboxId,
    mailbox_name: view.mailboxName,
    billing_entity: view.billingEntity,
    ods_code: view.odsCode,
    org_code: view.orgCode,
    org_name: view.orgName,
    active: view.active,
  });
}

/** 200: the service runs. */
export function healthBody(environment: string, buildLabel: string): WireAnswer {
  return plainJson({ env: environment, build_label: buildLabel, status: 'running', outcome: 'Yes' });
}

/** 200: a sandbox was reset, all of it or one mailbox. */
export function resetBody(mailboxId?: MailboxId): WireAnswer {
  return plainJson({ message: mailboxId === undefined ? 'all mailboxes reset' : `mailbox ${mailboxId} reset` });
}

/** 200: a report was made by hand. */
export function createdReportBody(messageId: MessageId): WireAnswer {
  return plainJson({ message_id: messageId });
}

/** No body, and so `content-length: 0` and no content type. */
export function emptyAnswer(status: number): WireAnswer {
  return { status, contentType: undefined, body: '' };
}

export interface RichLinksView {
  readonly mailboxId: MailboxId;
  readonly box: 'inbox' | 'outbox';
  readonly startText: string | undefined;
  readonly maxResults: number;
  readonly nextToken: string | undefined;
}

/** The links of a rich listing. */
export function richLinks(view: RichLinksView): PageLinks {
  const parameters: QueryParameter[] = [
    ['start_time', view.startText],
    ['max_results', view.maxResults === richInboxPageDefault ? undefined : String(view.maxResults)],
  ];
  return pageLinks(`${BASE_PATH}/${view.mailboxId}/${view.box}/rich`, parameters, view.nextToken);
}

/** Path-absolute addresses of this page and, when more remains, of the next. */
export interface PageLinks {
  readonly self: string;
  readonly next?: string;
}

type QueryParameter = readonly [name: string, value: string | undefined];

function pageLinks(path: string, parameters: readonly QueryParameter[], nextToken: string | undefined): PageLinks {
  const self = withQuery(path, parameters);
  if (nextToken === undefined) return { self };
  return { self, next: withQuery(path, [...parameters, ['continue_from', nextToken]]) };
}

function withQuery(path: string, parameters: readonly QueryParameter[]): string {
  let query = '';
  for (const [name, value] of parameters) {
    if (value !== undefined) query += `${query === '' ? '?' : '&'}${name}=${encodeQueryValue(value)}`;
  }
  return path + query;
}

/** Percent-encodes everything but letters, digits and `-_.~`; a star too, as clients themselves send it. */
function encodeQueryValue(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function json(status: number, version: ApiVersion, value: object): WireAnswer {
  return { status, contentType: jsonContentType(version), body: JSON.stringify(value) };
}

function plainJson(value: object): WireAnswer {
  return { status: 200, contentType: JSON_TYPE, body: JSON.stringify(value) };
}
