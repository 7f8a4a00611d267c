import type { ConfigProblem } from './config.ts';
import { goesUnencrypted } from './loopback.ts';
import type { SettingValues } from './settings.ts';

export function checkBodies(values: SettingValues): ConfigProblem[] {
  if (values.OPENMESH_S3_KMS_KEY === undefined || values.OPENMESH_S3_ENCRYPTION === 'aws:kms') return [];
  return [{ name: 'OPENMESH_S3_KMS_KEY', problem: 'needs OPENMESH_S3_ENCRYPTION=aws:kms' }];
}

export function warnOfBodies({
  OPENMESH_S3_ENDPOINT: endpoint,
}: Pick<SettingValues, 'OPENMESH_S3_ENDPOINT'>): ConfigProblem[] {
  if (endpoint === undefined || !goesUnencrypted(endpoint)) return [];
  return [{ name: 'OPENMESH_S3_ENDPOINT', problem: 'sends the bytes of messages over the network without TLS' }];
}
