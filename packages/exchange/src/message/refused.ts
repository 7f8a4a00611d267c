import {
  type ErrorName,
  type ErrorParameters,
  errorFailure,
  type MessageId,
  type RequestFailure,
} from '@openmesh/protocol';
import type { NonceUsed } from '../store/ledger/nonces.ts';

/** The hall's "no": what the caller is told, and the exact reason for the record of refusals. */
export interface Refused {
  readonly kind: 'refused';
  readonly failure: RequestFailure;
  /** For the mailbox owner; never a secret, never personal. */
  readonly detail: string;
  /** The message the refusal is about, where the wire names it. */
  readonly messageId?: MessageId | undefined;
}

export function refuse(name: ErrorName, detail: string, messageId?: MessageId, parameters?: ErrorParameters): Refused {
  return { kind: 'refused', failure: errorFailure(name, parameters), detail, messageId };
}

/** What every move of the hall may answer besides its own results. */
export type NotDone = Refused | NonceUsed;
