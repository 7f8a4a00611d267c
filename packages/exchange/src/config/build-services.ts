import type { Config } from './config.ts';
import type { Secret } from './secret.ts';
import type { SettingValues } from './settings.ts';

const secondMs = 1000;
const hourMs = 3600 * secondMs;

/** Access as the demographics service asks for it, and the API key alone where the organisation data needs no more. */
export function buildServices(values: SettingValues, apiKey: Secret<string> | undefined): Config['services'] {
  const {
    OPENMESH_SERVICES_TOKEN_URL: tokenUrl,
    OPENMESH_SERVICES_KEY_ID: keyId,
    OPENMESH_SERVICES_KEY_FILE: keyFile,
  } = values;
  const isSigned = tokenUrl !== undefined && keyId !== undefined && keyFile !== undefined;
  return {
    demographics: values.OPENMESH_DEMOGRAPHICS,
    demographicsPerSecond: values.OPENMESH_DEMOGRAPHICS_REQUESTS_PER_SECOND,
    endUserOrganisation: values.OPENMESH_DEMOGRAPHICS_ORGANISATION,
    surnameMatch: values.OPENMESH_SURNAME_MATCH,
    routingHoursMax: values.OPENMESH_ROUTING_HOURS_MAX,
    routingMsMax: values.OPENMESH_ROUTING_HOURS_MAX * hourMs,
    organisationsUrl: values.OPENMESH_ORGANISATIONS,
    organisationsRefreshMs: values.OPENMESH_ORGANISATIONS_REFRESH_HOURS * hourMs,
    apiKey,
    signing: isSigned ? { tokenUrl, keyId, keyFile } : undefined,
    caFile: values.OPENMESH_SERVICES_CA_FILE,
    timeoutMs: values.OPENMESH_SERVICES_TIMEOUT_SECONDS * secondMs,
  };
}
