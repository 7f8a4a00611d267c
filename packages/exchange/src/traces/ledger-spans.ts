import type { Ledger } from '../store/ledger.ts';
import { type CommitSpansParts, createCommitSpans, type Took } from './commit-spans.ts';

export interface LedgerSpansParts extends CommitSpansParts {
  readonly nowMs: () => number;
  /** A span could not be made; what it would have been about is committed, and its caller is answered as ever. */
  readonly spoiled: (error: unknown) => void;
}

/**
 * The same ledger, with a span for what each commit did to a message: every turn of a message's life is a commit, so this
 * is where all of them pass, whoever asked for it. What waits for the collector is no concern of the commit's caller.
 */
export function traceLedger(ledger: Ledger, parts: LedgerSpansParts): Ledger {
  const { messages, jobs, resolving } = ledger;
  const spans = createCommitSpans(parts);

  /** Runs a command of the ledger and tells of it when it did what it was to do. */
  const traced = async <O>(act: () => Promise<O>, tell: (outcome: O, took: Took) => void): Promise<O> => {
    const startMs = parts.nowMs();
    const outcome = await act();
    try {
      tell(outcome, { startMs, endMs: parts.nowMs() });
    } catch (error) {
      parts.spoiled(error);
    }
    return outcome;
  };

  return {
    ...ledger,
    messages: {
      ...messages,
      accept: (command) =>
        traced(
          () => messages.accept(command),
          ({ kind }, took) => void (kind === 'accepted' && spans.accepted(command, took)),
        ),
      addChunk: (command) =>
        traced(
          () => messages.addChunk(command),
          (outcome, took) => void (outcome.kind === 'stored' && outcome.complete && spans.completed(command, took)),
        ),
      changeState: (command) =>
        traced(
          () => messages.changeState(command),
          ({ kind }, took) => void (kind === 'changed' && spans.changed(command, took)),
        ),
      addEvent: (messageId, event) =>
        traced(
          () => messages.addEvent(messageId, event),
          (_, took) => spans.noted(messageId, event.kind, took),
        ),
    },
    resolving: {
      ...resolving,
      resolve: (command) =>
        traced(
          () => resolving.resolve(command),
          ({ kind }, took) => void (kind === 'resolved' && spans.resolved(command, took)),
        ),
    },
    jobs: {
      ...jobs,
      forgetPayloads: (payloadIds, nowMs) =>
        traced(
          () => jobs.forgetPayloads(payloadIds, nowMs),
          (forgotten, took) => spans.bodiesDeleted(forgotten, took),
        ),
    },
  };
}
