import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import { bornAtMs, refusalOf } from '../ledger-probe.ts';
import type { AuditEntry, AuditLedger, AuditQuery } from './audit.ts';
import { auditRoot, chainHash } from './audit-chain.ts';
import type { RefusalQuery, RefusalRecord } from './refusals.ts';

const entry = (n: number): AuditEntry => {
  return { atMs: bornAtMs + n, actor: 'root', action: 'mailbox.add', subject: `BOX${n}`, detail: `{"n":${n}}` };
};

async function numbersOf(audit: AuditLedger, query: AuditQuery): Promise<number[]> {
  return (await audit.read(query)).map(({ entryNo }) => entryNo);
}

/** Two values of each key in every combination, so that a search that overlooks one of its fields finds too much. */
const everyCombination: readonly RefusalRecord[] = Array.from({ length: 16 }, (_, n) =>
  refusalOf(n, {
    mailbox: n % 2 === 0 ? 'BOB' : 'CAROL',
    certificateSerial: n % 4 < 2 ? '0A' : '0B',
    address: n % 8 < 4 ? '10.0.0.1' : '10.0.0.2',
    reason: n < 8 ? 'token-stale' : 'nonce-used',
  }),
);

const searches: readonly Omit<RefusalQuery, 'limit'>[] = [
  {},
  { mailbox: 'BOB' },
  { certificateSerial: '0B' },
  { address: '10.0.0.2' },
  { reason: 'nonce-used' },
  { mailbox: 'BOB', certificateSerial: '0A' },
  { mailbox: 'CAROL', address: '10.0.0.1' },
  { certificateSerial: '0A', address: '10.0.0.2' },
  { certificateSerial: '0A', reason: 'token-stale' },
  { address: '10.0.0.2', reason: 'token-stale', sinceMs: bornAtMs + 3 },
  { mailbox: 'BOB', certificateSerial: '0A', address: '10.0.0.1', reason: 'token-stale' },
  { sinceMs: bornAtMs + 4, untilMs: bornAtMs + 9 },
  { mailbox: 'BOB', sinceMs: bornAtMs + 4, untilMs: bornAtMs + 4 },
  { mailbox: 'NOBODY' },
];

function fits(record: RefusalRecord, query: Omit<RefusalQuery, 'limit'>): boolean {
  const keys = ['mailbox', 'certificateSerial', 'address', 'reason'] as const;
  const inTime = record.atMs >= (query.sinceMs ?? 0) && record.atMs < (query.untilMs ?? Number.POSITIVE_INFINITY);
  return inTime && keys.every((key) => query[key] === undefined || query[key] === record[key]);
}

export function promiseRefusals(at: LedgerSource): void {
  it('finds refusals by every field and any of them together, the newest first', async () => {
    await at.ledger.refusals.record(everyCombination);
    for (const query of searches) {
      const wanted = everyCombination.filter((record) => fits(record, query)).toReversed();
      expect(await at.ledger.refusals.search({ ...query, limit: 100 }), JSON.stringify(query)).toEqual(wanted);
      expect(await at.ledger.refusals.search({ ...query, limit: 2 })).toEqual(wanted.slice(0, 2));
    }
  });

  it('keeps a refusal that names nobody, and one recorded twice once', async () => {
    const nameless = refusalOf(1, { operation: null, status: null, count: 7 });
    await at.ledger.refusals.record([nameless, nameless]);
    await at.ledger.refusals.record([nameless]);
    expect(await at.ledger.refusals.search({ limit: 10 })).toEqual([nameless]);
  });

  it('sweeps refusals up to a moment, so many at a time', async () => {
    await at.ledger.refusals.record(everyCombination);
    const query = { beforeMs: bornAtMs + 4, limit: 3 };
    const swept = [await at.ledger.jobs.sweepRefusals(query), await at.ledger.jobs.sweepRefusals(query)];
    expect([...swept, await at.ledger.jobs.sweepRefusals(query)]).toEqual([3, 2, 0]);
    expect(await at.ledger.refusals.search({ limit: 100 })).toEqual(everyCombination.slice(5).toReversed());
  });
}

export function promiseAudit(at: LedgerSource): void {
  it('numbers entries without a gap and chains each hash to the one before', async () => {
    const appended = await Promise.all([1, 2, 3, 4, 5].map((n) => at.ledger.audit.append(entry(n))));
    const read = await at.ledger.audit.read({ fromEntryNo: 0, limit: 100 });
    expect(read).toEqual(appended);
    let previous = auditRoot;
    for (const [index, { entryNo, hash, ...rest }] of read.entries()) {
      expect(entryNo).toBe(index + 1);
      expect(hash).toBe(chainHash(previous, entryNo, rest));
      previous = hash;
    }
  });

  it('goes on with the chain where an earlier process left it', async () => {
    const first = await at.ledger.audit.append(entry(1));
    const ledger = await at.reopen();
    const second = await ledger.audit.append(entry(2));
    expect(second).toEqual({ ...entry(2), entryNo: 2, hash: chainHash(first.hash, 2, entry(2)) });
  });

  it('reads forwards from an entry on and backwards from an entry down, within the limit', async () => {
    for (let n = 1; n <= 6; n += 1) await at.ledger.audit.append(entry(n));
    expect(await numbersOf(at.ledger.audit, { fromEntryNo: 3, limit: 2 })).toEqual([3, 4]);
    expect(await numbersOf(at.ledger.audit, { fromEntryNo: 5, limit: 10 })).toEqual([5, 6]);
    expect(await numbersOf(at.ledger.audit, { fromEntryNo: 4, limit: 3, newestFirst: true })).toEqual([4, 3, 2]);
    expect(
      await numbersOf(at.ledger.audit, { fromEntryNo: Number.MAX_SAFE_INTEGER, limit: 2, newestFirst: true }),
    ).toEqual([6, 5]);
    expect(await numbersOf(at.ledger.audit, { fromEntryNo: 7, limit: 10 })).toEqual([]);
  });
}
