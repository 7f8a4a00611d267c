/**
 * Where a message is in its life. `uploading`: chunks are outstanding. `accepted`: it waits in an inbox, which does not
 * say that anybody has read it. `acknowledged`: the recipient confirmed it. `undeliverable`: it expired, or its mailbox
 * closed. `error`: routing or validation failed.
 */
export type MessageStatus = 'uploading' | 'accepted' | 'acknowledged' | 'undeliverable' | 'error';

export const messageStatuses: readonly MessageStatus[] = [
  'uploading',
  'accepted',
  'acknowledged',
  'undeliverable',
  'error',
];

/** `DATA` is what somebody sent; `REPORT` is the exchange telling a sender what became of it. */
export type MessageType = 'DATA' | 'REPORT';

/** What a message that arrived says in its status headers and in tracking. */
export const transferred = {
  code: '00',
  event: 'TRANSFER',
  description: 'Transferred to recipient mailbox',
} as const;

export function isMessageStatus(text: string): text is MessageStatus {
  return (messageStatuses as readonly string[]).includes(text);
}

/** True unless the message failed; a message still being uploaded counts as a success. */
export function isSuccess(status: MessageStatus): boolean {
  switch (status) {
    case 'uploading':
    case 'accepted':
    case 'acknowledged':
      return true;
    case 'undeliverable':
    case 'error':
      return false;
  }
}

/** The spelling of version 1 tracking: `Accepted`. */
export function titleCase(status: MessageStatus): string {
  switch (status) {
    case 'uploading':
      return 'Uploading';
    case 'accepted':
      return 'Accepted';
    case 'acknowledged':
      return 'Acknowledged';
    case 'undeliverable':
      return 'Undeliverable';
    case 'error':
      return 'Error';
  }
}
