import { readFileSync, statSync } from 'node:fs';
import type { ConfigProblem } from './config.ts';
import { goesUnencrypted } from './loopback.ts';
import type { SettingName, SettingValues } from './settings.ts';

const detailsOfTraces = [
  'OPENMESH_TRACES_CA_FILE',
  'OPENMESH_TRACES_SHARE',
  'OPENMESH_TRACES_SERVICE_NAME',
] as const satisfies readonly SettingName[];
const authoritiesBytesMax = 1_048_576;

export function checkTraces(values: SettingValues, given: ReadonlySet<SettingName>): ConfigProblem[] {
  const { OPENMESH_TRACES_ENDPOINT: endpoint, OPENMESH_TRACES_CA_FILE: caFile } = values;
  if (endpoint === undefined) {
    const problem = 'has no meaning without OPENMESH_TRACES_ENDPOINT';
    return detailsOfTraces.filter((name) => given.has(name)).map((name) => ({ name, problem }));
  }
  if (caFile === undefined) return [];
  const name = 'OPENMESH_TRACES_CA_FILE';
  if (endpoint.startsWith('http:')) return [{ name, problem: 'needs an OPENMESH_TRACES_ENDPOINT of https' }];
  if (holdsCertificates(caFile)) return [];
  return [{ name, problem: `must name a file of certificates, PEM, of at most ${authoritiesBytesMax} bytes` }];
}

function holdsCertificates(path: string): boolean {
  try {
    const isBounded = statSync(path).size <= authoritiesBytesMax;
    return isBounded && readFileSync(path, 'latin1').includes('-----BEGIN CERTIFICATE-----');
  } catch {
    return false;
  }
}

export function warnOfTraces({
  OPENMESH_TRACES_ENDPOINT: endpoint,
}: Pick<SettingValues, 'OPENMESH_TRACES_ENDPOINT'>): ConfigProblem[] {
  if (endpoint === undefined || !goesUnencrypted(endpoint)) return [];
  const problem = 'sends ids of messages and mailboxes over the network without TLS';
  return [{ name: 'OPENMESH_TRACES_ENDPOINT', problem }];
}
