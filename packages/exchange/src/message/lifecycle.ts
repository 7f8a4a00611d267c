import { type MessageStatus, transferred } from '@openmesh/protocol';
import type { StoredState } from '../store/ledger/message-records.ts';
import type { StatusFacts } from '../store/ledger/messages.ts';

/**
 * What may happen to a message. New messages begin as 'uploading', 'routing', 'accepted' or 'error'.
 *
 * - uploading: chunks are outstanding; the recipient cannot see it. Ended by the last chunk or by abandonment.
 * - routing: accepted and durable, its address not yet resolved; no inbox entry, no expiry clock.
 * - accepted: it waits in an inbox. Says nothing of whether anybody has read it: downloading changes no state.
 * - acknowledged: the recipient has confirmed it. Says nothing of what the recipient's system did with it.
 * - undeliverable: withdrawn from the inbox, by expiry or because the mailbox closed.
 * - error: refused by routing or abandoned.
 *
 * From 'acknowledged' and 'undeliverable' only an operator puts a message back.
 */
const moves: Readonly<Record<StoredState, readonly StoredState[]>> = {
  uploading: ['accepted', 'routing', 'error'],
  routing: ['accepted', 'error'],
  accepted: ['acknowledged', 'undeliverable', 'error'],
  acknowledged: ['accepted', 'error'],
  undeliverable: ['accepted', 'error'],
  error: ['accepted', 'undeliverable'],
};

export const storedStates = Object.keys(moves) as readonly StoredState[];

export function mayMove(from: StoredState, to: StoredState): boolean {
  return moves[from].includes(to);
}

/** The five states of the wire: an unresolved address is nobody's business but ours. */
export function wireStatus(state: StoredState): MessageStatus {
  return state === 'routing' ? 'accepted' : state;
}

/** May its bytes be handed to the recipient? After acknowledging only under the sandbox's wire rules. */
export function isDownloadable(state: StoredState, servesAcknowledged: boolean): boolean {
  switch (state) {
    case 'accepted':
      return true;
    case 'acknowledged':
      return servesAcknowledged;
    case 'uploading':
    case 'routing':
    case 'undeliverable':
    case 'error':
      return false;
  }
}

/** The status facts of a message that arrived. */
export const transferredStatus: StatusFacts = {
  code: transferred.code,
  event: transferred.event,
  description: transferred.description,
};
