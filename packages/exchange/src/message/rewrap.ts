import type { KeyService } from '../keys/key-service.ts';
import { payloadContext } from '../keys/payload-keys.ts';
import { SealFault } from '../keys/seal-fault.ts';
import { beginningUnder, credentialContext, keyIdOf, type Sealer, sharedKeyContext } from '../mailbox/sealer.ts';
import type { AuditEntry } from '../store/ledger/audit.ts';
import type { KeyLedger, PayloadKeyRow, SealedTextRow } from '../store/ledger/keys.ts';
import type { RegistryLedger, RegistryRows } from '../store/ledger/registry.ts';
import { resealTexts } from './private-texts.ts';

/** Rows of one commit: a running exchange's own writes wait for it, some milliseconds. */
const batch = 500;
/** What a running exchange keeps under an older key meanwhile is found by another walk. */
const walksMax = 5;

export interface RewrapParts {
  readonly ledger: { readonly keys: KeyLedger; readonly registry: RegistryLedger };
  readonly sealer: Sealer;
  readonly keys: KeyService;
  /** Told after each batch. */
  readonly progress: (done: Rewrapped) => void;
}

export interface Rewrapped {
  /** Passwords and shared keys. */
  readonly secrets: number;
  /** Messages whose texts were sealed anew. */
  readonly texts: number;
  /** Payloads whose keys were wrapped anew. */
  readonly payloads: number;
  /** What could not be opened and stays as it is: its key is not in the file, or it was changed. */
  readonly unopened: number;
}

interface Tally {
  secrets: number;
  texts: number;
  payloads: number;
  unopened: Set<string>;
}

/**
 * Puts everything that is kept under an older key under the one in use, bodies excepted: only their keys are touched.
 * Passwords first: a running exchange that reloads them learns of the key. May be broken off and begun again.
 */
export async function rewrap(parts: RewrapParts, audit: AuditEntry): Promise<Rewrapped> {
  const tally: Tally = { secrets: 0, texts: 0, payloads: 0, unopened: new Set() };
  await resealSecrets(parts, audit, tally);
  for (let walk = 0; walk < walksMax; walk += 1) {
    const before = tally.texts + tally.payloads;
    await resealMessages(parts, tally);
    await rewrapPayloads(parts, tally);
    if (tally.texts + tally.payloads === before) break;
  }
  return outcomeOf(tally);
}

function outcomeOf({ secrets, texts, payloads, unopened }: Tally): Rewrapped {
  return { secrets, texts, payloads, unopened: unopened.size };
}

/** Answers what `open` does; undefined, and noted under this name, for what cannot be opened. */
async function opened<R>(tally: Tally, name: string, open: () => R | Promise<R>): Promise<R | undefined> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof SealFault)) throw error;
    tally.unopened.add(name);
    return undefined;
  }
}

type Secrets = Pick<RegistryRows, 'credentials' | 'sharedKeys'>;

async function resealSecrets(parts: RewrapParts, audit: AuditEntry, tally: Tally): Promise<void> {
  const { ledger, sealer } = parts;
  const { version, credentials, sharedKeys } = await ledger.registry.load();
  const passwords = await reseal(sealer, tally, credentials, (row) => credentialContext(row.credentialId));
  const shared = await reseal(sealer, tally, sharedKeys, (row) => sharedKeyContext(row.sharedKeyId));
  let ifVersion = version;
  const put = async (secrets: Secrets): Promise<boolean> => {
    const outcome = await ledger.registry.change({ ...secrets, ifVersion, audit });
    if (outcome.stale === true) return false;
    ifVersion = outcome.version;
    tally.secrets += outcome.rowsChanged;
    return true;
  };
  for (let at = 0; at < passwords.length + shared.length; at += batch) {
    const keys = shared.slice(Math.max(0, at - passwords.length), Math.max(0, at + batch - passwords.length));
    // When somebody changed the registry meanwhile, what is there now is read and sealed.
    if (!(await put({ credentials: passwords.slice(at, at + batch), sharedKeys: keys })))
      return resealSecrets(parts, audit, tally);
  }
}

async function reseal<Row extends { readonly sealed: string }>(
  sealer: Sealer,
  tally: Tally,
  rows: readonly Row[],
  contextOf: (row: Row) => string,
): Promise<readonly Row[]> {
  const fresh: Row[] = [];
  for (const row of rows.filter(({ sealed }) => keyIdOf(sealed) !== sealer.keyInUse())) {
    const context = contextOf(row);
    const text = await opened(tally, context, () => sealer.open(row.sealed, context));
    if (text !== undefined) fresh.push({ ...row, sealed: sealer.seal(text, context) });
  }
  return fresh;
}

async function resealMessages({ ledger, sealer, progress }: RewrapParts, tally: Tally): Promise<void> {
  const exceptBeginning = beginningUnder(sealer.keyInUse());
  let rows: readonly SealedTextRow[];
  let afterId = '';
  do {
    rows = await ledger.keys.sealedTexts({ afterId, exceptBeginning, limit: batch });
    const changes = [];
    for (const row of rows) {
      const fresh = await opened(tally, row.messageId, () => resealTexts(sealer, row));
      if (fresh !== undefined) changes.push({ messageId: row.messageId, ...fresh, from: row.sealed });
    }
    if (changes.length > 0) tally.texts += await ledger.keys.replaceSealedTexts(changes);
    afterId = rows.at(-1)?.messageId ?? '';
    progress(outcomeOf(tally));
  } while (rows.length === batch);
}

async function rewrapPayloads({ ledger, keys, progress }: RewrapParts, tally: Tally): Promise<void> {
  const exceptKeyId = keys.keyInUse();
  let rows: readonly PayloadKeyRow[];
  let afterId = '';
  do {
    rows = await ledger.keys.wrappedKeys({ afterId, exceptKeyId, limit: batch });
    const changes = [];
    for (const { payloadId, key: from } of rows) {
      const context = payloadContext(payloadId);
      const bytes = await opened(tally, context, () => keys.unwrap(from, context));
      if (bytes !== undefined) changes.push({ payloadId, key: await keys.wrap(bytes, context), from });
      bytes?.fill(0);
    }
    if (changes.length > 0) tally.payloads += await ledger.keys.replaceWrappedKeys(changes);
    afterId = rows.at(-1)?.payloadId ?? '';
    progress(outcomeOf(tally));
  } while (rows.length === batch);
}
