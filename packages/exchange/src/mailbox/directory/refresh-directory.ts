import { type FhirService, listOf, textOf } from '@openmesh/demographics';
import type { DirectoryLedger } from '../../store/ledger/directory.ts';
import { createDirectoryWriter } from './load-directory.ts';
import { readDirectoryObject } from './read-line.ts';

/** The service could not be asked to the end: nothing is lost, and the next refresh begins at the same day. */
export class DirectoryUnavailable extends Error {
  /** Of the log, which shows no message. */
  readonly code: string;
  constructor(why: string, code = 'unexpected-answer') {
    super(`the organisation data could not be read: ${why}`);
    this.name = 'DirectoryUnavailable';
    this.code = code;
  }
}

export interface RefreshParts {
  readonly service: Pick<FhirService, 'get'>;
  readonly ledger: Pick<DirectoryLedger, 'put' | 'state' | 'refreshed'>;
  readonly nowMs: () => number;
  readonly newCorrelationId: () => string;
}

export interface Refreshed {
  readonly objects: number;
  /** Objects that could not be read; the others were taken. */
  readonly unreadable: number;
  readonly rowsChanged: number;
  readonly alerts: number;
}

const pageSize = 1000;
const pagesMax = 10_000;
const beginning = '1900-01-01';
const dayMs = 86_400_000;

/**
 * Takes over what was changed since the last refresh, or everything at the first: organisations, then how they belong
 * together. A day is asked for twice, since it may not have been over. Throws `DirectoryUnavailable`.
 */
export async function refreshDirectory(parts: RefreshParts, signal: AbortSignal): Promise<Refreshed> {
  const { ledger, nowMs } = parts;
  const startedMs = nowMs();
  const since = (await ledger.state()).changesTo ?? beginning;
  const writer = createDirectoryWriter(ledger, nowMs);
  let objects = 0;
  let unreadable = 0;
  for (const type of ['Organization', 'OrganizationAffiliation']) {
    for await (const resource of readAll(parts, `/${type}?_lastUpdated=ge${since}&_count=${pageSize}`, signal)) {
      objects += 1;
      const item = readDirectoryObject(resource);
      if (item === undefined) unreadable += 1;
      else await writer.add(item);
    }
  }
  const done = await writer.end();
  const changesTo = new Date(startedMs - dayMs).toISOString().slice(0, 10);
  await ledger.refreshed({ atMs: startedMs, changesTo });
  return { objects, unreadable, ...done };
}

async function* readAll({ service, newCorrelationId }: RefreshParts, first: string, signal: AbortSignal) {
  const correlationId = newCorrelationId();
  const seen = new Set<string>();
  let path: string | undefined = first;
  while (path !== undefined) {
    if (signal.aborted) throw new DirectoryUnavailable('the exchange is stopping');
    if (seen.has(path) || seen.size >= pagesMax) throw new DirectoryUnavailable('its pages have no end');
    seen.add(path);
    const answer = await service.get(path, { correlationId, signal });
    if (answer.kind === 'unavailable') throw new DirectoryUnavailable(answer.reason, answer.reason);
    if (answer.status !== 200 || textOf(answer.body, 'resourceType') !== 'Bundle') {
      throw new DirectoryUnavailable(`it answered ${answer.status} without a Bundle`);
    }
    yield* listOf(answer.body, 'entry');
    path = nextPath(answer.body);
  }
}

/** Below the service's own address, whatever host the link names: a page never leads elsewhere. */
function nextPath(bundle: unknown): string | undefined {
  const next = listOf(bundle, 'link').find((link) => textOf(link, 'relation') === 'next');
  if (next === undefined) return undefined;
  const path = /\/(?:Organization|OrganizationAffiliation)\?[^#]*$/.exec(textOf(next, 'url') ?? '')?.[0];
  if (path === undefined) throw new DirectoryUnavailable('the link to its next page cannot be read');
  return path;
}
