import { type Endpoint, endpointLookupBody, workflowSearchBody } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { refuse } from '../../message/refused.ts';
import type { DirectoryLedger } from '../../store/ledger/directory.ts';
import type { MailboxRecord } from '../../store/ledger/registry.ts';
import { withDetails } from './endpoint-details.ts';
import { type OpenOperation, reply } from './request.ts';

interface LookupParts {
  readonly registry: { current(): RegistrySnapshot };
  readonly directory: Pick<DirectoryLedger, 'find'>;
  readonly clock: { nowMs(): number };
  readonly newInternalId: () => string;
}

const toEndpoint = ({ mailboxId, name }: MailboxRecord): Endpoint => ({ mailboxId, mailboxName: name });

/** `GET /messageexchange/endpointlookup/{ods}/{workflow}`: organisation in upper case, workflow exact. */
export function lookupEndpoint({ registry, directory, clock, newInternalId }: LookupParts): OpenOperation {
  return {
    name: 'lookup-endpoint',
    access: 'open',
    async handle({ params, query, version }) {
      const odsCode = (params[0] ?? '').trim().toUpperCase();
      const workflowId = (params[1] ?? '').trim();
      if (odsCode === '') return refuse('ods-code-missing', 'the path has no organisation code');
      if (workflowId === '') return refuse('workflow-id-missing', 'the path has no workflow id');
      const found = registry.current().responders(odsCode, workflowId, clock.nowMs());
      const told = wantsDetails(query) ? await withDetails(found, directory) : found.map(toEndpoint);
      return reply(endpointLookupBody(told, newInternalId(), version));
    },
  };
}

/** `GET /messageexchange/workflowsearch/{workflow}`: all receivers of a workflow. */
export function searchWorkflow({ registry, directory, clock }: LookupParts): OpenOperation {
  return {
    name: 'search-workflow',
    access: 'open',
    async handle({ params, query, version }) {
      const workflowId = (params[0] ?? '').trim();
      if (workflowId === '') return refuse('workflow-id-missing', 'the path has no workflow id');
      const found = registry.current().responders(undefined, workflowId, clock.nowMs());
      const told = wantsDetails(query) ? await withDetails(found, directory) : found.map(toEndpoint);
      return reply(workflowSearchBody(told, version));
    },
  };
}

/** Our extension: without it an answer holds what the specification says, and nothing more. */
function wantsDetails(query: URLSearchParams): boolean {
  return query.get('details') === 'true';
}
