import { createPrivateKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ConfigProblem } from './config.ts';
import { Secret } from './secret.ts';
import type { SettingName, SettingValues } from './settings.ts';

const signing = [
  'OPENMESH_SERVICES_TOKEN_URL',
  'OPENMESH_SERVICES_KEY_ID',
  'OPENMESH_SERVICES_KEY_FILE',
] as const satisfies readonly SettingName[];
const apiKeys = ['OPENMESH_SERVICES_API_KEY', 'OPENMESH_SERVICES_API_KEY_FILE'] as const;
const keyBytesMax = 65_536;

/** Half-set access to the services, and access to none. */
export function checkServices(values: SettingValues, given: ReadonlySet<SettingName>): ConfigProblem[] {
  const asksDemographics = values.OPENMESH_DEMOGRAPHICS.kind === 'fhir';
  const asksOrganisations = values.OPENMESH_ORGANISATIONS !== undefined;
  const problems: ConfigProblem[] = [];
  const missing = asksDemographics ? signing.filter((name) => !given.has(name)) : [];
  for (const name of missing) problems.push({ name, problem: 'is required with OPENMESH_DEMOGRAPHICS=fhir:…' });
  const unused = asksDemographics ? [] : signing.filter((name) => given.has(name));
  for (const name of unused) problems.push({ name, problem: 'has no meaning without OPENMESH_DEMOGRAPHICS=fhir:…' });
  const keysGiven = apiKeys.filter((name) => given.has(name)).length;
  if (asksDemographics || asksOrganisations) {
    if (keysGiven === 0)
      problems.push({ name: apiKeys[0], problem: 'or OPENMESH_SERVICES_API_KEY_FILE is required to ask a service' });
    if (keysGiven === 2)
      problems.push({ name: apiKeys[0], problem: 'and OPENMESH_SERVICES_API_KEY_FILE are both set: keep one' });
    return problems;
  }
  for (const name of [...apiKeys, 'OPENMESH_SERVICES_CA_FILE' as const]) {
    if (given.has(name)) problems.push({ name, problem: 'has no meaning without a service to ask' });
  }
  return problems;
}

/** Reads the files that access needs, so that a wrong one is known at start and not at the first patient. */
export function readServiceFiles(values: SettingValues): {
  readonly apiKey: Secret<string> | undefined;
  readonly problems: readonly ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  const read = (name: SettingName, path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    try {
      if (statSync(path).size > keyBytesMax) throw new Error('too large');
      return readFileSync(path, 'utf8');
    } catch {
      problems.push({ name, problem: `names a file that cannot be read, or is over ${keyBytesMax} bytes` });
      return undefined;
    }
  };
  const keyText = read('OPENMESH_SERVICES_KEY_FILE', values.OPENMESH_SERVICES_KEY_FILE);
  if (keyText !== undefined && !isRsaKey(keyText)) {
    problems.push({ name: 'OPENMESH_SERVICES_KEY_FILE', problem: 'must name a file with an RSA private key, PEM' });
  }
  read('OPENMESH_SERVICES_CA_FILE', values.OPENMESH_SERVICES_CA_FILE);
  const place = values.OPENMESH_DEMOGRAPHICS;
  if (place.kind === 'file' && statOrNothing(place.path)?.isFile() !== true) {
    problems.push({ name: 'OPENMESH_DEMOGRAPHICS', problem: 'names a file that cannot be read' });
  }
  const fileText = read('OPENMESH_SERVICES_API_KEY_FILE', values.OPENMESH_SERVICES_API_KEY_FILE)?.trim();
  if (fileText !== undefined && !/^[!-~]{1,1024}$/.test(fileText)) {
    problems.push({ name: 'OPENMESH_SERVICES_API_KEY_FILE', problem: 'must name a file of one line, the key' });
  }
  const key = values.OPENMESH_SERVICES_API_KEY ?? fileText;
  return { apiKey: key === undefined ? undefined : new Secret(key), problems };
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

function statOrNothing(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}
