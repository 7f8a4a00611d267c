import { release, type } from 'node:os';
import { arch } from 'node:process';
import { toHeaderText } from '@openmesh/protocol';
import type { CallOptions } from './options.ts';
import { withRetries } from './retry.ts';
import { attempt, type Session } from './session.ts';
import { discardBody } from './wire/answer.ts';

/** What a service said when it validated the mailbox. */
export interface Handshake {
  /** It takes idempotency keys, so that a send whose answer was lost can be repeated safely. OpenMESH does. */
  readonly takesIdempotencyKeys: boolean;
  /** The service's clock, milliseconds since 1970, to the second; undefined when it does not tell. */
  readonly serverTimeMs: number | undefined;
}

/** Validates mailbox, password, shared key and certificate, and tells the service who is calling. */
export async function handshake(session: Session, application: string, options: CallOptions): Promise<Handshake> {
  const { signal } = options;
  return withRetries(session, { operation: 'handshake', isRepeatable: true, signal }, async () => {
    const answer = await attempt(session, {
      operation: 'handshake',
      method: 'POST',
      path: '',
      headers: {
        'mex-clientversion': toHeaderText(application),
        'mex-osname': toHeaderText(type()),
        'mex-osversion': toHeaderText(release()),
        'mex-osarchitecture': arch,
      },
      accepts: [200],
      signal,
    });
    await discardBody(answer, session.limits.jsonBytes);
    const date = Date.parse(answer.headers.get('date') ?? '');
    return {
      takesIdempotencyKeys: answer.headers.get('openmesh-idempotency-key') === 'accepted',
      serverTimeMs: Number.isNaN(date) ? undefined : date,
    };
  });
}
