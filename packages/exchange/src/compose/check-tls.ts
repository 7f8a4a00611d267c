import type { Config, ConfigProblem } from '../config/config.ts';
import type { SettingName } from '../config/settings.ts';
import { TlsFault } from '../http/tls/tls-fault.ts';
import { readTlsMaterial } from '../http/tls/tls-material.ts';

/** What is wrong with the certificate files at `nowMs`, with which an exchange would not start. Reads them, no more. */
export async function checkTls(
  { machines }: Pick<Config, 'machines'>,
  nowMs: number,
): Promise<readonly ConfigProblem[]> {
  const { tls } = machines;
  if (tls.mode === 'off') return [];
  try {
    await readTlsMaterial(tls, nowMs);
    return [];
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error;
    const name = tlsSettingOf(tls, error.file);
    return [{ name, problem: `names a file that cannot be served with: ${error.message.replace(/\.$/, '')}` }];
  }
}

/** The setting that names the file a fault is about. */
export function tlsSettingOf(tls: Config['machines']['tls'], file: string): SettingName {
  if (tls.mode === 'off') return 'OPENMESH_TLS';
  const settings: readonly (readonly [SettingName, string | undefined])[] = [
    ['OPENMESH_TLS_KEY_FILE', tls.keyFile],
    ['OPENMESH_TLS_CA_FILE', tls.mode === 'mutual' ? tls.caFile : undefined],
    ['OPENMESH_TLS_CRL_FILE', tls.mode === 'mutual' ? tls.crlFile : undefined],
    ['OPENMESH_TLS_TICKET_KEY_FILE', tls.ticketKeyFile],
  ];
  return settings.find(([, named]) => named === file)?.[0] ?? 'OPENMESH_TLS_CERTIFICATE_FILE';
}
