import type { MessageId } from '@openmesh/protocol';
import type { CallOptions } from '../options.ts';
import { withRetries } from '../retry.ts';
import { attempt, type Session } from '../session.ts';
import { type MessageMetadata, readMetadata } from './message-metadata.ts';

/** What a download would say of the message, without its content. */
export function describeMessage(
  session: Session,
  messageId: MessageId,
  { signal }: CallOptions,
): Promise<MessageMetadata> {
  return withRetries(session, { operation: 'describe', isRepeatable: true, signal }, async () => {
    const path = `/inbox/${messageId}`;
    const answer = await attempt(session, {
      operation: 'describe',
      method: 'HEAD',
      path,
      accepts: [200, 206],
      messageId,
      signal,
    });
    answer.body.resume();
    return readMetadata(answer.headers, { messageId, chunk: 1, operation: 'describe' });
  });
}
