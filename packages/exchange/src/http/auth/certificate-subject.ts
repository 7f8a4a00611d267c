/** Who a client certificate says its holder is. Both members are upper case: the one canonical form. */
export interface CertificateHolder {
  readonly localId: string;
  readonly odsCode: string;
}

const domain = '.api.mesh-client.nhs.uk';
// Longer names cannot stand in a certificate: X.520 gives a common name 64 characters.
const commonNameLengthMax = 64;
// Asked first, so that no character outside ASCII can fold into a letter of the grammar.
const alphabet = /^[A-Za-z0-9_.-]+$/;
// A local id may be a mailbox id, which may hold dots: the last label before the domain is the organisation.
const labels = /^([A-Za-z0-9][A-Za-z0-9_.-]*)\.([A-Za-z0-9]{1,10})$/;

/**
 * Reads `{local_id}.{ods_code}.api.mesh-client.nhs.uk`, any case. Answers undefined for every other text; this is the
 * only place that decides what a common name means.
 */
export function parseCommonName(commonName: string): CertificateHolder | undefined {
  if (commonName.length > commonNameLengthMax || !alphabet.test(commonName)) return undefined;
  const split = commonName.length - domain.length;
  if (split <= 0 || commonName.slice(split).toLowerCase() !== domain) return undefined;
  const found = labels.exec(commonName.slice(0, split));
  if (found?.[1] === undefined || found[2] === undefined) return undefined;
  return { localId: found[1].toUpperCase(), odsCode: found[2].toUpperCase() };
}

/** The common name of a holder, or undefined when it would not be read back as the same holder. */
export function formatCommonName(localId: string, odsCode: string): string | undefined {
  const commonName = `${localId}.${odsCode}${domain}`;
  const holder = parseCommonName(commonName);
  // A code that begins with a dot would leave that dot to the local id.
  const same = holder?.localId === localId.toUpperCase() && holder.odsCode === odsCode.toUpperCase();
  return same ? commonName : undefined;
}
