import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createDevAuthority, FolderFault } from '@openmesh/exchange';
import { CannotStart } from './prepare-folders.ts';

const renewBeforeMs = 30 * 86_400_000;

/** Makes the authority and the server certificate in `folder`, or keeps those that are there. Throws `CannotStart`. */
export async function prepareServerCertificate(folder: string): Promise<void> {
  try {
    const authority = await createDevAuthority({ folder, now: Date.now });
    const { certificateFile } = await authority.server();
    const { validTo } = new X509Certificate(await readFile(certificateFile));
    if (Date.parse(validTo) - Date.now() < renewBeforeMs) await authority.server({ overwrite: true });
  } catch (cause) {
    if (cause instanceof FolderFault) throw new CannotStart(cause.message, { cause });
    throw cause;
  }
}

export interface ClientCertificate {
  readonly odsCode: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

const localId = 'SANDBOX';

/**
 * A client certificate for each organisation, made anew: a few milliseconds at every start spare the question whether
 * an old one still holds. Codes that no certificate can name are left out.
 */
export async function issueClientCertificates(
  folder: string,
  odsCodes: readonly string[],
): Promise<readonly ClientCertificate[]> {
  const authority = await createDevAuthority({ folder, now: Date.now });
  const made: ClientCertificate[] = [];
  for (const odsCode of odsCodes) {
    if (!/^[A-Z0-9]{1,10}$/.test(odsCode)) continue;
    const { certificateFile, keyFile } = await authority.client({ odsCode, localId, overwrite: true });
    made.push({ odsCode, certificateFile, keyFile });
  }
  return made;
}
