import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { CollectionFacts } from '../store/ledger/message-records.ts';
import type { MessageLedger } from '../store/ledger/messages.ts';

/** Facts of collection held at most before they are written, and messages remembered as already listed. */
const pendingMax = 20_000;
const listedMax = 200_000;

/**
 * First listed, and first, last and count of downloads, gathered here and written in batches or with the
 * acknowledgement: reading is never slowed. A crash loses at most what was not yet written, never a state.
 */
export interface CollectionNotes {
  listed(mailbox: MailboxId, messageIds: readonly MessageId[], atMs: number): void;
  downloaded(mailbox: MailboxId, messageId: MessageId, atMs: number): void;
  /** Hands over what is pending for a message, so that the acknowledgement's commit carries it. */
  take(messageId: MessageId): CollectionFacts | null;
  /** Resolves when everything noted before is written; called by a timer that the caller owns. */
  flush(): Promise<void>;
}

interface Pending {
  readonly mailbox: MailboxId;
  firstListedAtMs: number | null;
  firstDownloadAtMs: number | null;
  lastDownloadAtMs: number | null;
  downloads: number;
}

export function createCollectionNotes(ledger: Pick<MessageLedger, 'recordCollections'>): CollectionNotes {
  const pending = new Map<MessageId, Pending>();
  const alreadyListed = new Set<MessageId>();
  let writing: Promise<void> = Promise.resolve();

  const noteFor = (mailbox: MailboxId, messageId: MessageId): Pending | undefined => {
    const known = pending.get(messageId);
    if (known !== undefined) return known;
    if (pending.size >= pendingMax) return undefined;
    const fresh = { mailbox, firstListedAtMs: null, firstDownloadAtMs: null, lastDownloadAtMs: null, downloads: 0 };
    pending.set(messageId, fresh);
    return fresh;
  };

  const write = async (earlier: Promise<void>): Promise<void> => {
    await Promise.allSettled([earlier]);
    if (pending.size === 0) return;
    const noted = [...pending];
    pending.clear();
    try {
      await ledger.recordCollections(noted.map(([messageId, note]) => ({ messageId, ...note })));
    } catch (error) {
      for (const [messageId, note] of noted) keep(messageId, note);
      throw error;
    }
  };

  /** What cannot be written now is kept for the next time, together with what was noted since. */
  const keep = (messageId: MessageId, earlier: Pending): void => {
    const later = pending.get(messageId);
    if (later === undefined && pending.size >= pendingMax) return;
    pending.set(messageId, {
      mailbox: earlier.mailbox,
      firstListedAtMs: earlier.firstListedAtMs ?? later?.firstListedAtMs ?? null,
      firstDownloadAtMs: earlier.firstDownloadAtMs ?? later?.firstDownloadAtMs ?? null,
      lastDownloadAtMs: later?.lastDownloadAtMs ?? earlier.lastDownloadAtMs,
      downloads: earlier.downloads + (later?.downloads ?? 0),
    });
  };

  return {
    listed(mailbox, messageIds, atMs) {
      for (const messageId of messageIds) {
        if (alreadyListed.has(messageId)) continue;
        const note = noteFor(mailbox, messageId);
        if (note === undefined) return;
        if (alreadyListed.size >= listedMax) alreadyListed.clear();
        alreadyListed.add(messageId);
        note.firstListedAtMs ??= atMs;
      }
    },
    downloaded(mailbox, messageId, atMs) {
      const note = noteFor(mailbox, messageId);
      if (note === undefined) return;
      note.firstDownloadAtMs ??= atMs;
      note.lastDownloadAtMs = atMs;
      note.downloads += 1;
    },
    take(messageId) {
      alreadyListed.delete(messageId);
      const note = pending.get(messageId);
      if (note === undefined) return null;
      pending.delete(messageId);
      return { messageId, ...note };
    },
    flush() {
      writing = write(writing);
      return writing;
    },
  };
}
