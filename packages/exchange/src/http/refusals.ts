import { randomBytes } from 'node:crypto';
import type { RefusalLedger, RefusalRecord } from '../store/ledger/refusals.ts';
import { ownText } from './wire/own-text.ts';

export type RefusalFacts = Omit<RefusalRecord, 'refusalId' | 'count' | 'atMs'>;

/** Keeps what was refused, and why, without letting whoever is refused fill the ledger. */
export interface RefusalNotes {
  note(facts: RefusalFacts): void;
  /** Resolves when everything noted before is written; called by a timer that the caller owns. */
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
  let writing: Promise<void> = Promise.resolve();
  const kinds = new Map<string, Kind>();

  /** A clock that was set back would leave the window open, and what is counted in it unwritten, until it comes by again. */
  const isOver = (nowMs: number): boolean => nowMs >= windowEndsMs || nowMs < windowEndsMs - windowMs;

  const closeWindow = (nowMs: number): void => {
    for (const kind of kinds.values()) if (kind.folded !== undefined) pending.push(kind.folded);
    kinds.clear();
    recordsInWindow = 0;
    windowEndsMs = nowMs + windowMs;
  };

  /** What cannot be written now is kept for the next time, as far as a window may hold. */
  const write = async (earlier: Promise<void>): Promise<void> => {
    await Promise.allSettled([earlier]);
    const nowMs = machineClock.nowMs();
    if (isOver(nowMs) && kinds.size > 0) closeWindow(nowMs);
    if (pending.length === 0) return;
    const records = pending;
    pending = [];
    try {
      await ledger.record(records);
    } catch (error) {
      pending = [...records, ...pending].slice(0, recordsMax);
      throw error;
    }
  };

  return {
    note(facts) {
      const atMs = machineClock.nowMs();
      if (isOver(atMs)) closeWindow(atMs);
      const name = `${facts.reason} ${facts.mailbox ?? ''} ${facts.address ?? ''}`;
      let kind = kinds.get(name);
      if (kind === undefined) {
        if (kinds.size >= kindsMax) return;
        kind = { written: 0, folded: undefined };
        kinds.set(ownText(name), kind);
      }
      const { detail, mailbox } = facts;
      const fresh: RefusalRecord = {
        ...facts,
        detail: ownText(detail),
        mailbox: mailbox === null ? null : ownText(mailbox),
        refusalId: newRefusalId(atMs),
        atMs,
        count: 1,
      };
      if (kind.written < recordsEachMax && recordsInWindow < recordsMax) {
        kind.written += 1;
        recordsInWindow += 1;
        pending.push(fresh);
        return;
      }
      kind.folded = { ...(kind.folded ?? fresh), count: (kind.folded?.count ?? 0) + 1 };
    },
    flush() {
      writing = write(writing);
      return writing;
    },
  };
}

/** Sorts by time. */
function newRefusalId(nowMs: number): string {
  return `${nowMs.toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`;
}
