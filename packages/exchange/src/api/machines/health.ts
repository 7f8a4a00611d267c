import { healthBody } from '@openmesh/protocol';
import { type OpenOperation, reply } from './request.ts';

/** The five addresses at which clients and container health checks ask whether the service runs. */
export function health(environment: { readonly name: string; readonly buildLabel: string }): OpenOperation {
  const answer = reply(healthBody(environment.name, environment.buildLabel));
  return { name: 'health', access: 'open', handle: () => Promise.resolve(answer) };
}
