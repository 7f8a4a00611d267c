import type { MessageId } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import { MeshError } from '../errors/mesh-error.ts';
import type { Session } from '../session.ts';
import { acknowledge } from './acknowledge.ts';
import { type Download, type DownloadOptions, download } from './download.ts';
import { type InboxQuery, walkInbox } from './list-inbox.ts';

/** A message that is acknowledged when the block it was handed to ends well. */
export interface ReceivedMessage extends Download {
  readonly messageId: MessageId;
  /** Acknowledges it now, read or not. */
  acknowledge(): Promise<void>;
  /** Leaves it in the inbox: it comes again the next time. */
  leave(): void;
}

/**
 * Every waiting message, oldest first. A message is acknowledged when the caller's block has ended and asks for the
 * next; not when the block threw or broke off. A block that ends without having read the content, acknowledged or left
 * the message is an error, for its content would be lost.
 */
export async function* receive(
  session: Session,
  query: Omit<InboxQuery, 'continueFrom'>,
  options: DownloadOptions,
): AsyncGenerator<ReceivedMessage, void, undefined> {
  for await (const messageId of walkInbox(session, query, options)) {
    const incoming = await unlessGone(() => download(session, messageId, options));
    if (incoming === undefined) continue;
    let state: 'waiting' | 'left' | 'acknowledged' = 'waiting';
    const message: ReceivedMessage = Object.assign(incoming, {
      messageId,
      acknowledge: async () => {
        await acknowledge(session, messageId, options);
        state = 'acknowledged';
      },
      leave: () => {
        state = 'left';
      },
    });
    try {
      yield message;
    } finally {
      incoming.cancel();
    }
    await settle(session, message, state, options);
  }
}

async function settle(
  session: Session,
  message: ReceivedMessage,
  state: 'waiting' | 'left' | 'acknowledged',
  options: DownloadOptions,
): Promise<void> {
  if (state !== 'waiting') return;
  const { messageId, isRead } = message;
  if (!isRead) throw clientError('not-read', 'acknowledge', { messageId });
  await acknowledge(session, messageId, options);
}

/** Undefined for a message that somebody else has collected since it was listed. */
async function unlessGone(ask: () => Promise<Download>): Promise<Download | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof MeshError && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}
