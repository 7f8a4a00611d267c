import { aboveMaximum, belowMinimum, notAnInteger, type ValidationDetail } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import type { WorkflowRecord } from '../../store/ledger/registry.ts';
import { type OpenOperation, refuseAs, reply } from './request.ts';
import { workflowsPage } from './workflows-page.ts';

const pageDefault = 100;
const pageMax = 1000;

/** A workflow as the public page and its JSON show it. */
export interface ShownWorkflow {
  readonly workflow_id: string;
  readonly title: string;
  readonly description: string;
  readonly owner: string;
  readonly purpose: string;
  readonly status: string;
  readonly restricted: boolean;
  readonly ack_workflow_id: string | null;
  readonly gp_routing: boolean;
  readonly size_bytes_max: number | null;
  readonly chunking: boolean;
  readonly payload_type: string;
  readonly source: string;
  readonly groups: readonly string[];
}

export interface ShownGroup {
  readonly group_id: string;
  readonly number: number | null;
  readonly name: string;
  readonly description: string;
  readonly restricted: boolean;
  readonly initiator_ids: readonly string[];
  readonly responder_ids: readonly string[];
}

export interface ShownWorkflows {
  readonly found: number;
  readonly workflows: readonly ShownWorkflow[];
  readonly groups: readonly ShownGroup[];
  /** The id to go on after; absent on the last page. */
  readonly next?: string;
}

export interface WorkflowQuery {
  readonly text: string;
  readonly group: string;
  readonly after: string;
  readonly limit: number;
}

function readLimit(text: string | null): number | ValidationDetail {
  if (text === null || text === '') return pageDefault;
  const at = ['query', 'limit'] as const;
  if (!/^\d{1,9}$/.test(text)) return notAnInteger(at, text.slice(0, 40));
  const limit = Number(text);
  if (limit < 1) return belowMinimum(at, 1, text);
  return limit > pageMax ? aboveMaximum(at, pageMax, text) : limit;
}

/** What is being drafted is nobody's business yet. */
function search(snapshot: RegistrySnapshot, query: WorkflowQuery): ShownWorkflows {
  const groups = snapshot.groups().filter(({ groupId }) => query.group === '' || groupId === query.group);
  const groupsOf = new Map<string, string[]>();
  for (const { groupId, initiatorIds, responderIds } of groups) {
    for (const id of new Set([...initiatorIds, ...responderIds])) {
      const list = groupsOf.get(id);
      if (list === undefined) groupsOf.set(id, [groupId]);
      else list.push(groupId);
    }
  }
  const words = query.text.toLowerCase();
  const matches = ({ workflowId, title, description, owner }: WorkflowRecord): boolean =>
    [workflowId, title, description, owner].some((text) => text.toLowerCase().includes(words));
  const found = snapshot
    .workflows()
    .filter((row) => row.status !== 'draft' && (query.group === '' || groupsOf.has(row.workflowId)) && matches(row));
  const page = found.filter(({ workflowId }) => workflowId > query.after).slice(0, query.limit + 1);
  const shown = page.slice(0, query.limit);
  const last = shown.at(-1);
  const named = new Set(shown.flatMap(({ workflowId }) => groupsOf.get(workflowId) ?? []));
  return {
    found: found.length,
    workflows: shown.map((row) => show(snapshot, row, groupsOf.get(row.workflowId) ?? [])),
    groups: groups
      .filter(({ groupId }) => named.has(groupId))
      .map(({ groupId, number, name, description, restricted, initiatorIds, responderIds }) => ({
        group_id: groupId,
        number,
        name,
        description,
        restricted,
        initiator_ids: initiatorIds,
        responder_ids: responderIds,
      })),
    ...(page.length > shown.length && last !== undefined ? { next: last.workflowId } : {}),
  };
}

function show(snapshot: RegistrySnapshot, row: WorkflowRecord, groups: readonly string[]): ShownWorkflow {
  const { workflowId, title, description, owner, purpose, status, gpRouting, chunking, payloadType, source } = row;
  return {
    workflow_id: workflowId,
    title,
    description,
    owner,
    purpose,
    status,
    restricted: snapshot.isRestricted(workflowId),
    ack_workflow_id: row.ackWorkflowId,
    gp_routing: gpRouting,
    size_bytes_max: row.sizeBytesMax,
    chunking,
    payload_type: payloadType,
    source,
    groups,
  };
}

/**
 * `GET /workflows` and `GET /workflows.json`, an extension: the workflows and groups of the registry, to be searched by
 * `q`, `group`, and paged by `limit` and `after`. Open as a look-up is: to whoever may connect.
 */
export function showWorkflows(
  form: 'page' | 'json',
  { registry }: { readonly registry: { current(): RegistrySnapshot } },
): OpenOperation {
  return {
    name: form === 'page' ? 'show-workflows' : 'list-workflows',
    access: 'open',
    handle({ query }) {
      const limit = readLimit(query.get('limit'));
      if (typeof limit !== 'number') {
        const failure = { kind: 'validation', details: [limit] } as const;
        return Promise.resolve(refuseAs(failure, 'the query of the workflows was refused'));
      }
      const wanted = {
        text: query.get('q')?.trim() ?? '',
        group: query.get('group')?.trim() ?? '',
        after: query.get('after') ?? '',
        limit,
      };
      const found = search(registry.current(), wanted);
      if (form === 'page') return Promise.resolve(workflowsPage(found, wanted));
      return Promise.resolve(reply({ status: 200, contentType: 'application/json', body: JSON.stringify(found) }));
    },
  };
}
