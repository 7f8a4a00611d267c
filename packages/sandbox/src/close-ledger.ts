import type { BodyRef, Ledger } from '@openmesh/exchange';

/** A lid that is put on a ledger once its seed is in it. */
export interface Lid {
  close(): void;
  readonly closed: boolean;
}

export function createLid(): Lid {
  let closed = false;
  return {
    close() {
      closed = true;
    },
    get closed() {
      return closed;
    },
  };
}

/**
 * The canned store: once the lid is closed everything that would change a message answers as if it had, and leaves no
 * trace. `discard` takes the bytes back of a message that is not kept.
 */
export function underLid(ledger: Ledger, lid: Lid, discard: (refs: readonly BodyRef[]) => Promise<void>): Ledger {
  const { messages, jobs } = ledger;
  return {
    ...ledger,
    messages: {
      ...messages,
      async accept(command) {
        if (!lid.closed) return messages.accept(command);
        const ref = command.payload?.chunk.ref ?? null;
        if (ref !== null) await discard([ref]);
        return { kind: 'accepted' };
      },
      async acknowledge(command) {
        if (!lid.closed) return messages.acknowledge(command);
        const message = await messages.find(command.messageId);
        if (message === null) return { kind: 'not-found' };
        return { kind: message.recipient === command.mailbox ? 'unchanged' : 'forbidden' };
      },
      async changeState(command) {
        if (!lid.closed) return messages.changeState(command);
        return { kind: (await messages.find(command.messageId)) === null ? 'not-found' : 'unchanged' };
      },
      recordCollections: (facts) => (lid.closed ? Promise.resolve() : messages.recordCollections(facts)),
      addEvent: (messageId, event) => (lid.closed ? Promise.resolve() : messages.addEvent(messageId, event)),
    },
    jobs: {
      ...jobs,
      // Nothing comes due in a store that stands still.
      deliveriesDue: (query) => (lid.closed ? Promise.resolve([]) : jobs.deliveriesDue(query)),
      payloadsDue: (query) => (lid.closed ? Promise.resolve([]) : jobs.payloadsDue(query)),
      uploadsStalled: (query) => (lid.closed ? Promise.resolve([]) : jobs.uploadsStalled(query)),
      hideRecords: (query) => (lid.closed ? Promise.resolve(0) : jobs.hideRecords(query)),
      removeRecords: (query) => (lid.closed ? Promise.resolve(0) : jobs.removeRecords(query)),
    },
  };
}
