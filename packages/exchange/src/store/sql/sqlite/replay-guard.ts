import { randomBytes } from 'node:crypto';
import type { NonceClaim } from '../../ledger/nonces.ts';
import type { Fingerprint } from '../fingerprints.ts';
import { all, one, run, type Talk } from '../question.ts';
import { readMeta, writeMeta } from '../questions/jobs.ts';
import { appendNonces, listNonces } from '../questions/nonces.ts';
import { fingerprintOf, saltKey, UsedTokens } from '../used-tokens.ts';

/** Claims whose dates lie in the same span share a set and are forgotten together. */
const spanMs = 15 * 60_000;
const bytesEach = 12;
const rowsAtATime = 1000;
const saltBytes = 32;

interface Claimed {
  readonly print: Fingerprint;
  readonly span: number;
  /** From the claim to the end of its span. */
  readonly leftMs: number;
  /** The one claimed before it whose print has the same lower half. */
  readonly before: Claimed | undefined;
}

/**
 * The single use of tokens on an engine with one writer. What was claimed is kept in memory as 64-bit keyed
 * fingerprints, and in the ledger as one appended row for each commit: a table with a key for every nonce would dirty a
 * page of its own for each request. A fingerprint that is taken by another nonce (about once in 10^12 requests) refuses
 * a fresh token, which the caller makes anew.
 */
export class ReplayGuard {
  readonly #used = new UsedTokens();
  /** Of the transaction that is open, and the last of them with a certain lower half. */
  #open: Claimed[] = [];
  readonly #openByLow = new Map<number, Claimed>();
  #salt = '';

  /** Reads what earlier processes claimed. Runs inside a transaction. */
  *load(): Talk<void> {
    const stored = yield* one(readMeta, saltKey);
    this.#salt = stored?.value ?? randomBytes(saltBytes).toString('hex');
    if (stored === undefined) yield* run(writeMeta, saltKey, this.#salt);
    for (let after = -1; ; ) {
      const joined = yield* all(listNonces, after, rowsAtATime);
      if (joined.length === 0) return;
      for (const { lastEntryNo, expiresAtMs, prints } of joined) {
        after = Math.max(after, lastEntryNo);
        this.#remember(expiresAtMs, Buffer.from(prints, 'hex'));
      }
    }
  }

  /** When the nonce was claimed before, in machine-clock milliseconds; undefined when it is claimed now. */
  claim(claim: NonceClaim): number | undefined {
    const print = fingerprintOf(this.#salt, claim);
    const seenAtMs = this.#find(print, claim.seenAtMs);
    if (seenAtMs !== undefined) return seenAtMs;
    const span = Math.ceil(claim.expiresAtMs / spanMs) * spanMs;
    const claimed = { print, span, leftMs: span - claim.seenAtMs, before: this.#openByLow.get(print.low) };
    this.#open.push(claimed);
    this.#openByLow.set(print.low, claimed);
    return undefined;
  }

  /** Writes what the open transaction claimed; just before its commit. */
  *write(): Talk<void> {
    const bySpan = Map.groupBy(this.#open, (claimed) => claimed.span);
    for (const [span, claims] of bySpan) {
      const prints = new Uint8Array(claims.length * bytesEach);
      const view = new DataView(prints.buffer);
      for (const [index, { print, leftMs }] of claims.entries()) {
        view.setUint32(index * bytesEach, print.high);
        view.setUint32(index * bytesEach + 4, print.low);
        view.setUint32(index * bytesEach + 8, leftMs);
      }
      yield* run(appendNonces, span, prints);
    }
  }

  /** The transaction was committed: its claims hold. */
  keep(): void {
    for (const { print, span, leftMs } of this.#open) this.#used.add(print, span, leftMs);
    this.drop();
  }

  /** The transaction was rolled back: its claims were never made. Nothing is open any more. */
  drop(): void {
    this.#open = [];
    this.#openByLow.clear();
  }

  /** When it was claimed, in milliseconds. */
  #find(print: Fingerprint, nowMs: number): number | undefined {
    for (let open = this.#openByLow.get(print.low); open !== undefined; open = open.before) {
      if (open.print.high === print.high) return open.span - open.leftMs;
    }
    return this.#used.find(print, nowMs);
  }

  #remember(span: number, prints: Buffer): void {
    for (const { print, leftMs } of claimsIn(prints)) this.#used.add(print, span, leftMs);
  }
}

/** The claims of a row of the log: each with how long before its span's end it was made. */
export function* claimsIn(prints: Buffer): Generator<{ readonly print: Fingerprint; readonly leftMs: number }> {
  for (let at = 0; at + bytesEach <= prints.length; at += bytesEach) {
    const print = { high: prints.readUInt32BE(at), low: prints.readUInt32BE(at + 4) };
    yield { print, leftMs: prints.readUInt32BE(at + 8) };
  }
}
