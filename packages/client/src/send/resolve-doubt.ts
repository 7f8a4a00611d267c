import { MeshError } from '@openmesh/sdk';
import type { OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { readFault, type ServiceFault } from './service-fault.ts';

export type Resolution =
  | { readonly kind: 'accepted'; readonly messageId: string }
  /** Sending it again is safe: the service does not have it, or knows it by its key. */
  | { readonly kind: 'send' }
  /** Sending it again is the lesser evil: at worst it arrives twice. */
  | { readonly kind: 'send-in-doubt' }
  | { readonly kind: 'hold' }
  | { readonly kind: 'fault'; readonly fault: ServiceFault };

/**
 * Finds out about a pair whose answer was lost. A service that takes idempotency keys is simply asked again under the same
 * key. Any other is asked for the sender's own reference, where no other pair ever had it. What even that leaves open,
 * `onDoubt` decides.
 */
export async function resolveDoubt(
  parts: MailboxParts,
  entry: OutgoingEntry,
  signal: AbortSignal,
): Promise<Resolution> {
  try {
    const { takesIdempotencyKeys } = await parts.service.handshake({ signal });
    const resolution = takesIdempotencyKeys ? ({ kind: 'send' } as const) : await askForReference(parts, entry, signal);
    const by = takesIdempotencyKeys ? 'key' : resolution.kind;
    parts.counters.doubts.inc({ mailbox: parts.mailbox.id, resolved: by });
    parts.log({
      level: takesIdempotencyKeys ? 'info' : 'warn',
      event: 'doubt-resolved',
      component: 'SendFilesService',
      mailbox: parts.mailbox.id,
      text: `The answer to pair ${entry.pair} had been lost: ${saying[by]}`,
      fields: {
        pair: entry.pair,
        key: entry.key,
        messageId: resolution.kind === 'accepted' ? resolution.messageId : undefined,
      },
    });
    return resolution;
  } catch (error) {
    if (error instanceof MeshError) return { kind: 'fault', fault: readFault(error) };
    throw error;
  }
}

const saying = {
  key: 'it is sent again under the same key, which the service knows if it has it',
  accepted: 'the service has it',
  send: 'the service does not have it; it is sent again',
  'send-in-doubt': 'it is sent again, at worst for the second time',
  hold: 'it is held; "openmesh-client retry" sends it again',
} as const;

/** By the sender's own reference. Throws a MeshError. */
export async function askForReference(
  parts: MailboxParts,
  entry: OutgoingEntry,
  signal: AbortSignal,
): Promise<Exclude<Resolution, { kind: 'fault' }>> {
  // One duplicate may be the price of losing nothing, and never two.
  const mayResend = parts.config.onDoubt === 'resend' && entry.doubtfulSends === 0;
  const undecided = { kind: mayResend ? 'send-in-doubt' : 'hold' } as const;
  const { localId } = entry;
  if (localId === null || parts.journal.isLocalIdTaken(parts.mailbox.id, localId, entry.pair)) return undecided;
  const tracked = await parts.service.trackByLocalId(localId, { signal });
  switch (tracked.kind) {
    case 'none':
      return { kind: 'send' };
    case 'several':
      return undecided;
    case 'one': {
      const { messageId, status } = tracked.tracking;
      // A part of it cannot be delivered, and a message that failed was told of by its own report.
      return status === 'uploading' ? { kind: 'send' } : { kind: 'accepted', messageId };
    }
  }
}
