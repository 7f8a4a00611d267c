import type { StatusRecord } from '../control-file/control-file.ts';
import type { StagedMove } from '../folders/staged-moves.ts';

/**
 * The life of a pair from OUT. A pair without an entry has not been touched: nothing of it can be at the service.
 *
 * | State | Set when | What it does not mean |
 * |---|---|---|
 * | `sending` | the first request is about to leave | that the service has it, or has not: only the same key, or asking, tells |
 * | `waiting` | it is certain that the service does not have it | that anything is wrong with the pair |
 * | `uploading` | the service has taken some chunks under `messageId` | that it can be delivered yet |
 * | `held` | nobody can say whether it was delivered, and `onDoubt` is hold | that it is lost: `retry` sends it again |
 * | `accepted` | the service has all of it | that a file was moved |
 * | `refused` | it cannot be sent; `outcome` says why | that the sender was told |
 * | `filing` | every file the outcome needs lies ready in TEMP, and `moves` lists them | which of the moves were made: each move shows it by itself |
 * | `settled` | all moves were made and flushed | |
 */
export const outgoingStates = [
  'sending',
  'waiting',
  'uploading',
  'held',
  'accepted',
  'refused',
  'filing',
  'settled',
] as const;
export type OutgoingState = (typeof outgoingStates)[number];

/**
 * The life of a message from the inbox. One without an entry has left nothing here but leftovers in TEMP.
 *
 * | State | Set when | What it does not mean |
 * |---|---|---|
 * | `fetching` | some chunks of a message lie flushed in TEMP | that more will come |
 * | `staged` | all its files lie flushed in TEMP, and `moves` lists them | which of them were moved: each move shows it by itself |
 * | `delivered` | they are in IN, flushed | that they are still there, or that the service knows |
 * | `acknowledged` | the service has confirmed | |
 */
export const incomingStates = ['fetching', 'staged', 'delivered', 'acknowledged'] as const;
export type IncomingState = (typeof incomingStates)[number];

/** What became of a pair, in the words of its control file. */
export type Outcome = Omit<StatusRecord, 'dateTime'> & { readonly atMs: number };

export interface OutgoingEntry {
  /** Number of the pair: what the log calls it, for file names may be personal. */
  readonly pair: number;
  readonly mailbox: string;
  /** Name of both files without their extension. */
  readonly base: string;
  readonly controlName: string;
  /** Null where a control file came without data. */
  readonly dataName: string | null;
  /** Size and time of change of the control file, and of the data, as they were taken. */
  readonly controlPrint: string;
  readonly dataPrint: string | null;
  /** The idempotency key of every attempt. */
  readonly key: string;
  /** The sender's reference, by which a message can be looked for. */
  readonly localId: string | null;
  readonly state: OutgoingState;
  readonly messageId: string | null;
  /** Of the SDK, as JSON: what it needs to go on with an upload. */
  readonly upload: string | null;
  readonly outcome: Outcome | null;
  readonly moves: readonly StagedMove[] | null;
  /** Cycles that ended without an answer. */
  readonly failedCycles: number;
  /** A delay report was written: there is one for each pair at most. */
  readonly delayReported: boolean;
  /** How often it was sent again though nobody could say whether it had arrived: at most once. */
  readonly doubtfulSends: number;
  readonly changedMs: number;
}

export type NewOutgoing = Pick<
  OutgoingEntry,
  | 'mailbox'
  | 'base'
  | 'controlName'
  | 'dataName'
  | 'controlPrint'
  | 'dataPrint'
  | 'key'
  | 'localId'
  | 'state'
  | 'outcome'
  | 'changedMs'
>;
export type OutgoingChange = Partial<
  Pick<
    OutgoingEntry,
    | 'state'
    | 'messageId'
    | 'upload'
    | 'outcome'
    | 'moves'
    | 'failedCycles'
    | 'delayReported'
    | 'doubtfulSends'
    | 'key'
    | 'controlPrint'
  >
> & { readonly changedMs: number };

export interface IncomingEntry {
  readonly mailbox: string;
  readonly messageId: string;
  readonly state: IncomingState;
  readonly isReport: boolean;
  /** The message a report is about. */
  readonly linkedId: string | null;
  readonly moves: readonly StagedMove[] | null;
  /** Of the SDK, as JSON: what it needs to go on with a download. */
  readonly progress: string | null;
  readonly changedMs: number;
}

/** What is seen in a folder, or missed there, and since when it is as it is. */
export interface Sighting {
  readonly print: string;
  readonly sinceMs: number;
}

/** How many entries are in each state. */
export interface JournalCounts {
  readonly outgoing: Readonly<Partial<Record<OutgoingState, number>>>;
  readonly incoming: Readonly<Partial<Record<IncomingState, number>>>;
}

/**
 * What the client must not forget. Every call that changes something returns after it is on the disk, flushed, and may be
 * made again with the same result.
 */
export interface Journal extends Disposable {
  begin(entry: NewOutgoing): OutgoingEntry;
  change(pair: number, change: OutgoingChange): OutgoingEntry;
  /** The moves of several decided pairs, in one commit: each is `filing`. Answers the entries in the same order. */
  listMoves(
    listed: readonly (Pick<OutgoingEntry, 'pair'> & { readonly moves: readonly StagedMove[] })[],
    changedMs: number,
  ): readonly OutgoingEntry[];
  /**
   * The pair is settled. Unlike every other change it may reach the disk with the next one: after a crash the moves of the
   * pair are looked at once more, and all were made.
   */
  settle(pair: number, changedMs: number): void;
  find(pair: number): OutgoingEntry | undefined;
  /** Entries of a mailbox that are not settled, oldest first. */
  open(mailbox: string): readonly OutgoingEntry[];
  /** Whether another pair of the mailbox, settled or not, was sent under this reference. */
  isLocalIdTaken(mailbox: string, localId: string, exceptPair: number): boolean;
  /** The latest pair that went out as a message of this id. */
  byMessageId(mailbox: string, messageId: string): OutgoingEntry | undefined;
  /** The latest pair that was sent under this reference. */
  byLocalId(mailbox: string, localId: string): OutgoingEntry | undefined;
  incoming(mailbox: string, messageId: string): IncomingEntry | undefined;
  /** Entries of a mailbox that are not acknowledged, oldest first. */
  unacknowledged(mailbox: string): readonly IncomingEntry[];
  putIncoming(entry: IncomingEntry): void;
  /**
   * True when no notice of this kind was claimed within the last `everyMs`; from then on one is. A claim that lies ahead was
   * made before the clock was set back, and counts for nothing.
   */
  claimNotice(mailbox: string, kind: string, nowMs: number, everyMs: number): boolean;
  /** By name, what one process saw and the next must know: a client that runs once in a while sees nothing grow old. */
  sightings(mailbox: string): ReadonlyMap<string, Sighting>;
  /** Keeps sightings, and forgets those that are null. */
  keepSightings(mailbox: string, changes: ReadonlyMap<string, Sighting | null>): void;
  counts(mailbox: string): JournalCounts;
  /** Removes what was settled or acknowledged before a moment; answers how many entries. */
  prune(beforeMs: number): number;
}

/** How long it is remembered that a message was delivered or a pair was sent: longer than any service keeps one. */
export const journalMemoryMs = 40 * 86_400_000;
