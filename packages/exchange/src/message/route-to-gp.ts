import { splitGpAddress } from '@openmesh/protocol';
import type { Registry } from '../mailbox/registry.ts';
import type { Route } from './route.ts';

/**
 * A route that knows patients' addresses: one that is well formed, of a workflow that allows it, is to be resolved later
 * by the demographics service; every other is refused at once. No refusal repeats a word of the address.
 */
export function withGpAddresses(
  route: Route,
  registry: Pick<Registry, 'current'>,
  { isOn }: { readonly isOn: boolean },
): Route {
  return (request) => {
    const address = splitGpAddress(request.to);
    if (address === undefined) return route(request);
    const snapshot = registry.current();
    const registryVersion = snapshot.version;
    const refuse = (detail: string) =>
      ({ kind: 'refuse', error: 'unregistered-recipient', detail, registryVersion }) as const;
    if (address === 'malformed') return refuse("the patient's address lacks a part or a part has not its form");
    if (!isOn) return refuse('sending to the practice of a patient is not set up on this exchange');
    if (snapshot.workflow(request.workflowId)?.gpRouting !== true) {
      return refuse(`workflow ${request.workflowId} may not be sent to the practice of a patient`);
    }
    return { kind: 'resolve', address: request.to, registryVersion };
  };
}
