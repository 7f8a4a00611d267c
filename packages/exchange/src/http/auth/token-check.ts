import { timingSafeEqual } from 'node:crypto';
import {
  type AuthRefusal,
  type ErrorName,
  isWithinTokenWindow,
  type MailboxId,
  parseAuthorization,
  parseNonce,
  parseTokenTimestamp,
  type Token,
  tokenMemoryMs,
  tokenMessage,
} from '@openmesh/protocol';
import { createKeyedHash } from '../../mailbox/keyed-hash.ts';
import { isValidAt } from '../../mailbox/registered.ts';
import type { RegistrySnapshot, SharedKey } from '../../mailbox/snapshot.ts';
import type { NonceClaim } from '../../store/ledger/nonces.ts';
import type { MailboxRecord } from '../../store/ledger/registry.ts';

/** Why a caller was turned away: the wire's answer, and what only the mailbox's owner may read. */
export interface CallerRefusal {
  readonly ok: false;
  readonly error: ErrorName;
  /** Stable code of the refusal's record. */
  readonly reason: string;
  readonly detail: string;
}

export type CallerVerdict =
  | { readonly ok: true; readonly mailbox: MailboxRecord; readonly nonce: NonceClaim | null }
  | CallerRefusal;

/** Check 6a: whether the connection's certificate may speak for the mailbox; undefined when it may. */
export type CertificateObjection = (mailbox: MailboxRecord) => { reason: string; detail: string } | undefined;

export interface TokenCheckOptions {
  readonly registry: { current(): RegistrySnapshot };
  /** Those of the settings; the registry's are valid beside them. */
  readonly sharedKeys: readonly string[];
  readonly authMode: 'full' | 'none' | 'canned';
  readonly nonceCheck: 'strict' | 'off';
  readonly timestampCheck: 'on' | 'off';
  readonly machineClock: { nowMs(): number };
}

export type TokenCheck = (
  authorization: string | undefined,
  pathMailbox: MailboxId,
  objection: CertificateObjection,
) => CallerVerdict;

const hashDigits = 64;

/**
 * The checks of a token in their order, 1 to 8; the ninth (single use) is the ledger's, with the request's effect.
 * Nothing but the header is read, and nothing is written.
 */
export function createTokenCheck(options: TokenCheckOptions): TokenCheck {
  const { registry, machineClock } = options;
  const hashesAt = createSharedKeyHashes(options);
  const readTimestamp = rememberLast(parseTokenTimestamp);

  // Written anew for each comparison; nothing waits between.
  const claimed = Buffer.alloc(hashDigits);
  const expected = Buffer.alloc(hashDigits);

  const hashMatches = (token: Token, passwords: readonly string[], nowMs: number): boolean => {
    // A hash of another length, or with other characters, has no equal, but must not be the quicker answer.
    claimed.fill(0);
    if (token.hash.length === hashDigits) claimed.write(token.hash, 'latin1');
    let matches = false;
    const hashes = hashesAt(nowMs);
    for (const password of passwords) {
      const message = tokenMessage({ ...token, password });
      for (const hashOf of hashes) {
        expected.write(hashOf(message), 'latin1');
        if (timingSafeEqual(expected, claimed)) matches = true;
      }
    }
    return matches;
  };

  const known = (pathMailbox: MailboxId): MailboxRecord | undefined => registry.current().mailbox(pathMailbox);

  return (authorization, pathMailbox, objection) => {
    const nowMs = machineClock.nowMs();
    if (options.authMode === 'none') {
      const mailbox = known(pathMailbox);
      return mailbox === undefined ? unknown(pathMailbox) : admit(mailbox, null);
    }
    if (options.authMode === 'canned') {
      const reading = parseNonce(authorization, pathMailbox);
      return reading.ok ? canned(reading.nonce, known(pathMailbox), pathMailbox) : unreadable(reading.refusal);
    }
    const reading = parseAuthorization(authorization, pathMailbox);
    if (!reading.ok) return unreadable(reading.refusal);
    const { token } = reading;
    const stampedMs = readTimestamp(token.timestamp);
    if (options.timestampCheck === 'on' && (stampedMs === undefined || !isWithinTokenWindow(stampedMs, nowMs)))
      return no('invalid-token', 'token-stale', staleDetail(stampedMs, nowMs));
    const mailbox = known(pathMailbox);
    if (mailbox === undefined) return unknown(pathMailbox);
    const objected = objection(mailbox);
    if (objected !== undefined) return no('invalid-token', objected.reason, objected.detail);
    if (!hashMatches(token, registry.current().passwords(pathMailbox, nowMs), nowMs))
      return no('invalid-token', 'token-hash-mismatch', 'the hash is not that of the password and the shared key');
    const nonce = options.nonceCheck === 'off' ? null : claimOf(token, stampedMs ?? nowMs, nowMs);
    return admit(mailbox, nonce);
  };
}

type HashOf = (message: string) => string;

function prepare(key: string): HashOf {
  return createKeyedHash(Buffer.from(key, 'utf8'), 'hex');
}

/** The keyed hashes of all shared keys that are valid at a moment. Keys of the registry are prepared once for each of its versions. */
function createSharedKeyHashes({ registry, sharedKeys }: TokenCheckOptions): (nowMs: number) => readonly HashOf[] {
  const always = sharedKeys.map(prepare);
  let known: readonly SharedKey[] = [];
  let prepared: readonly (SharedKey & { readonly hashOf: HashOf })[] = [];
  return (nowMs) => {
    const current = registry.current().sharedKeys();
    if (current !== known) {
      prepared = current.map((each) => ({ ...each, hashOf: prepare(each.key) }));
      known = current;
    }
    if (prepared.length === 0) return always;
    return [...always, ...prepared.filter((each) => isValidAt(each, nowMs)).map(({ hashOf }) => hashOf)];
  };
}

function canned(nonce: string, mailbox: MailboxRecord | undefined, pathMailbox: MailboxId): CallerVerdict {
  if (nonce.toUpperCase() !== 'VALID')
    return no('invalid-token', 'token-not-canned', 'the canned mode takes only the nonce VALID');
  return mailbox === undefined ? unknown(pathMailbox) : admit(mailbox, null);
}

function unreadable({ error, reason }: AuthRefusal): CallerRefusal {
  return no(error, `token-${reason}`, `the Authorization header was refused: ${reason}`);
}

/** All tokens of a minute carry the same text. */
function rememberLast<R>(read: (text: string) => R): (text: string) => R {
  let last: { readonly text: string; readonly value: R } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: read(text) };
    return last.value;
  };
}

function admit(mailbox: MailboxRecord, nonce: NonceClaim | null): CallerVerdict {
  if (mailbox.state !== 'active') {
    return no('inactive-mailbox', 'mailbox-inactive', `mailbox ${mailbox.mailboxId} is ${mailbox.state}`);
  }
  return { ok: true, mailbox, nonce };
}

function unknown(pathMailbox: MailboxId): CallerRefusal {
  return no('unknown-mailbox', 'mailbox-unknown', `there is no mailbox ${pathMailbox}`);
}

function no(error: ErrorName, reason: string, detail: string): CallerRefusal {
  return { ok: false, error, reason, detail };
}

function claimOf(token: Token, stampedMs: number, nowMs: number): NonceClaim {
  const nonce = `${token.nonce}:${token.nonceCount}`;
  return { mailbox: token.mailbox, nonce, seenAtMs: nowMs, expiresAtMs: Math.max(stampedMs, nowMs) + tokenMemoryMs };
}

function staleDetail(stampedMs: number | undefined, nowMs: number): string {
  if (stampedMs === undefined) return 'the timestamp of the token cannot be read as yyyyMMddHHmm';
  const minutes = Math.round((nowMs - stampedMs) / 60_000);
  const direction = minutes >= 0 ? 'behind' : 'ahead of';
  return `the token's clock is ${Math.abs(minutes)} min ${direction} the server's`;
}
