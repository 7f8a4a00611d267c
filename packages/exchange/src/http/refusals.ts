import { randomBytes } from 'node:crypto';
import type { RefusalLedger, RefusalRecord } from '../store/ledger/refusals.ts';

export type RefusalFacts = Omit<RefusalRecord, 'refusalId' | 'count' | 'atMs'>;

/** Keeps what was refused, and why, without letting whoever is refused fill the ledger. */
export interface RefusalNotes {
  note(facts: RefusalFacts): void;
  /** Writes what is pending; called by a timer that the caller owns. */
  flush(): Promise<void>;
}

/** Of one kind, mailbox and address, this many a window are records of their own; the rest are counted in one more. */
const recordsEachMax = 20;
const windowMs = 60_000;
/** All together a window: beyond it only counts grow. */
const recordsMax = 2_000;
const kindsMax = 10_000;

interface Kind {
  written: number;
  folded: RefusalRecord | undefined;
}

export function createRefusalNotes(
  ledger: Pick<RefusalLedger, 'record'>,
  machineClock: { nowMs(): number },
): RefusalNotes {
  let windowEndsMs = 0;
  let recordsInWindow = 0;
  let pending: RefusalRecord[] = [];
  const kinds = new Map<string, Kind>();

  const closeWindow = (nowMs: number): void => {
    for (const kind of kinds.values()) if (kind.folded !== undefined) pending.push(kind.folded);
    kinds.clear();
    recordsInWindow = 0;
    windowEndsMs = nowMs + windowMs;
  };

  return {
    note(facts) {
      const atMs = machineClock.nowMs();
      if (atMs >= windowEndsMs) closeWindow(atMs);
      const name = `${facts.reason} ${facts.mailbox ?? ''} ${facts.address ?? ''}`;
      let kind = kinds.get(name);
      if (kind === undefined) {
        if (kinds.size >= kindsMax) return;
        kind = { written: 0, folded: undefined };
        kinds.set(name, kind);
      }
      const fresh: RefusalRecord = { ...facts, refusalId: newRefusalId(atMs), atMs, count: 1 };
      if (kind.written < recordsEachMax && recordsInWindow < recordsMax) {
        kind.written += 1;
        recordsInWindow += 1;
        pending.push(fresh);
        return;
      }
      kind.folded = { ...(kind.folded ?? fresh), count: (kind.folded?.count ?? 0) + 1 };
    },
    async flush() {
      const nowMs = machineClock.nowMs();
      if (nowMs >= windowEndsMs && kinds.size > 0) closeWindow(nowMs);
      if (pending.length === 0) return;
      const records = pending;
      pending = [];
      await ledger.record(records);
    },
  };
}

/** Sorts by time. */
function newRefusalId(nowMs: number): string {
  return `${nowMs.toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`;
}
