import type { Ledger, NewMessage } from '@openmesh/exchange';
import type { MessageId } from '@openmesh/protocol';

/** Told after a commit, and awaited before its answer. */
export interface LedgerWatcher {
  changed(messageIds: readonly MessageId[]): Promise<void>;
  /** Records were hidden or payloads deleted because their time had come. */
  aged(): Promise<void>;
}

/** The same ledger, telling what becomes of messages. */
export function watchLedger(ledger: Ledger, watcher: LedgerWatcher): Ledger {
  const { messages, jobs, resolving } = ledger;
  return {
    ...ledger,
    messages: {
      ...messages,
      async accept(command) {
        const outcome = await messages.accept(command);
        if (outcome.kind === 'accepted') await watcher.changed(idsOf(...command.messages));
        return outcome;
      },
      async addChunk(command) {
        const outcome = await messages.addChunk(command);
        if (outcome.kind === 'stored' && outcome.complete) {
          const { report, reportCopies = [], routed } = command.completion;
          await watcher.changed([command.messageId, ...idsOf(report, ...reportCopies, ...(routed?.copies ?? []))]);
        }
        return outcome;
      },
      async acknowledge(command) {
        const outcome = await messages.acknowledge(command);
        if (outcome.kind === 'acknowledged') await watcher.changed([command.messageId]);
        return outcome;
      },
      async changeState(command) {
        const outcome = await messages.changeState(command);
        const { messageId, report, reportCopies = [] } = command;
        if (outcome.kind === 'changed') await watcher.changed([messageId, ...idsOf(report, ...reportCopies)]);
        return outcome;
      },
    },
    resolving: {
      ...resolving,
      async resolve(command) {
        const outcome = await resolving.resolve(command);
        if (outcome.kind === 'resolved') await watcher.changed([command.messageId, ...idsOf(...command.messages)]);
        return outcome;
      },
    },
    jobs: {
      ...jobs,
      async forgetPayloads(payloadIds, nowMs) {
        const forgotten = await jobs.forgetPayloads(payloadIds, nowMs);
        if (forgotten.length > 0) await watcher.aged();
        return forgotten;
      },
      async hideRecords(query) {
        const hidden = await jobs.hideRecords(query);
        if (hidden > 0) await watcher.aged();
        return hidden;
      },
    },
  };
}

function idsOf(...made: readonly (NewMessage | null)[]): readonly MessageId[] {
  return made.flatMap((message) => (message === null ? [] : [message.messageId]));
}
