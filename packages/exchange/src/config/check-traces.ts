import type { ConfigProblem } from './config.ts';
import { goesUnencrypted } from './loopback.ts';
import type { SettingName, SettingValues } from './settings.ts';

const detailsOfTraces = ['OPENMESH_TRACES_SHARE', 'OPENMESH_TRACES_SERVICE_NAME'] as const;

export function checkTraces(values: SettingValues, given: ReadonlySet<SettingName>): ConfigProblem[] {
  if (values.OPENMESH_TRACES_ENDPOINT !== undefined) return [];
  const problem = 'has no meaning without OPENMESH_TRACES_ENDPOINT';
  return detailsOfTraces.filter((name) => given.has(name)).map((name) => ({ name, problem }));
}

export function warnOfTraces({ OPENMESH_TRACES_ENDPOINT: endpoint }: SettingValues): ConfigProblem[] {
  if (endpoint === undefined || !goesUnencrypted(endpoint)) return [];
  const problem = 'sends ids of messages and mailboxes over the network without TLS';
  return [{ name: 'OPENMESH_TRACES_ENDPOINT', problem }];
}
