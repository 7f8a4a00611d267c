import type { MessageId } from '@openmesh/protocol';
import type { CallOptions } from '../options.ts';
import { askJson, type Session } from '../session.ts';

/** Acknowledging twice is acknowledging once. */
export async function acknowledge(session: Session, messageId: MessageId, { signal }: CallOptions): Promise<void> {
  const path = `/inbox/${messageId}/status/acknowledged`;
  await askJson(
    session,
    { isRepeatable: true },
    { operation: 'acknowledge', method: 'PUT', path, accepts: [200], messageId, signal },
  );
}
