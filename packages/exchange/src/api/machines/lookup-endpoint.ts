import { type Endpoint, endpointLookupBody, workflowSearchBody } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { refuse } from '../../message/refused.ts';
import type { MailboxRecord } from '../../store/ledger/registry.ts';
import { type OpenOperation, reply } from './request.ts';

interface LookupParts {
  readonly registry: { current(): RegistrySnapshot };
  readonly clock: { nowMs(): number };
  readonly newInternalId: () => string;
}

const toEndpoint = ({ mailboxId, name }: MailboxRecord): Endpoint => ({ mailboxId, mailboxName: name });

/** `GET /messageexchange/endpointlookup/{ods}/{workflow}`: organisation in upper case, workflow exact. */
export function lookupEndpoint({ registry, clock, newInternalId }: LookupParts): OpenOperation {
  return {
    name: 'lookup-endpoint',
    access: 'open',
    handle({ params, version }) {
      const odsCode = (params[0] ?? '').trim().toUpperCase();
      const workflowId = (params[1] ?? '').trim();
      if (odsCode === '') return Promise.resolve(refuse('ods-code-missing', 'the path has no organisation code'));
      if (workflowId === '') return Promise.resolve(refuse('workflow-id-missing', 'the path has no workflow id'));
      const found = registry.current().responders(odsCode, workflowId, clock.nowMs()).map(toEndpoint);
      return Promise.resolve(reply(endpointLookupBody(found, newInternalId(), version)));
    },
  };
}

/** `GET /messageexchange/workflowsearch/{workflow}`: all receivers of a workflow. */
export function searchWorkflow({ registry, clock }: LookupParts): OpenOperation {
  return {
    name: 'search-workflow',
    access: 'open',
    handle({ params, version }) {
      const workflowId = (params[0] ?? '').trim();
      if (workflowId === '') return Promise.resolve(refuse('workflow-id-missing', 'the path has no workflow id'));
      const found = registry.current().responders(undefined, workflowId, clock.nowMs()).map(toEndpoint);
      return Promise.resolve(reply(workflowSearchBody(found, version)));
    },
  };
}
