import type { MessageId } from '@openmesh/protocol';
import type { Resolution } from '../message/resolve-gp.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { ResolvingLedger, RoutingMessage } from '../store/ledger/resolving.ts';
import type { Job } from './clockwork.ts';

const batch = 50;
const everyMs = 1000;
/** A message whose own answer cannot be understood is asked about again later and later. */
const firstWaitMs = 5000;
const longestWaitMs = 300_000;
const waitsRememberedMax = 100_000;

interface Wait {
  readonly untilMs: number;
  readonly attempts: number;
}

/**
 * Resolves the addresses of messages that wait for it, oldest first. What cannot be answered now is asked again later:
 * nothing is guessed, and nothing waits longer than its time.
 */
export function gpRoutingJob(parts: {
  readonly ledger: Pick<ResolvingLedger, 'waiting'>;
  readonly resolve: (messageId: MessageId) => Promise<Resolution>;
  readonly clock: ServiceClock;
  readonly machineClock: { nowMs(): number };
  /** After this a message is not held any longer, whatever it waits for. */
  readonly routingMsMax: number;
  readonly resolved: (resolution: Resolution) => void;
}): Job {
  const waits = new Map<MessageId, Wait>();

  const hold = (messageId: MessageId): void => {
    const attempts = (waits.get(messageId)?.attempts ?? 0) + 1;
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts - 1, 10));
    if (waits.size >= waitsRememberedMax) waits.clear();
    waits.set(messageId, { untilMs: parts.machineClock.nowMs() + waitMs, attempts });
  };

  const resolveOne = async ({ messageId }: RoutingMessage): Promise<void> => {
    // What cannot be opened or written now is tried again later, and keeps no other message waiting.
    hold(messageId);
    const resolution = await parts.resolve(messageId);
    parts.resolved(resolution);
    if (resolution.kind !== 'hold') waits.delete(messageId);
    else if (resolution.retryAfterMs !== null) {
      // The service is what failed, not the message: it is asked again as soon as the service may be.
      waits.set(messageId, { untilMs: parts.machineClock.nowMs() + resolution.retryAfterMs, attempts: 0 });
    }
  };

  return {
    name: 'gp-routing',
    everyMs,
    async run(signal) {
      const failures: unknown[] = [];
      let after: RoutingMessage | null = null;
      while (!signal.aborted) {
        const found: readonly RoutingMessage[] = await parts.ledger.waiting({ after, limit: batch });
        const nowMs = parts.machineClock.nowMs();
        const endsAtMs = parts.clock.nowMs() - parts.routingMsMax;
        const due = found.filter(
          ({ messageId, acceptedAtMs }) => acceptedAtMs <= endsAtMs || (waits.get(messageId)?.untilMs ?? 0) <= nowMs,
        );
        // Side by side, so that a batch shares its commits; the service's pace is its adapter's to keep.
        const outcomes = await Promise.allSettled(due.map(resolveOne));
        for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason);
        after = found.at(-1) ?? null;
        if (found.length < batch) break;
      }
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} messages could not be routed`);
    },
  };
}
