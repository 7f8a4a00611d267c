import { release, type } from 'node:os';
import { arch } from 'node:process';
import { toHeaderText } from '@openmesh/protocol';
import { clientError } from './errors/client-errors.ts';
import { MeshError } from './errors/mesh-error.ts';
import type { CallOptions } from './options.ts';
import { withRetries } from './retry.ts';
import { attempt, readServerTime, type Session } from './session.ts';
import { type Answer, readBounded } from './wire/answer.ts';

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
  return endsWithoutDoubt(
    withRetries(session, { operation: 'handshake', isRepeatable: true, signal }, async () => {
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
      await expectMesh(answer, session.limits.jsonBytes);
      return {
        takesIdempotencyKeys: answer.headers.get('openmesh-idempotency-key') === 'accepted',
        serverTimeMs: readServerTime(answer.headers),
      };
    }),
  );
}

const unansweredHint =
  'Nothing was sent. If it happens each time: does the URL begin with https://, and does the service accept the client ' +
  'certificate? Whoever runs the service finds the reason among its refusals.';

/** A handshake moves no message: of one that got no answer nobody has to find out what it did. */
async function endsWithoutDoubt(shaken: Promise<Handshake>): Promise<Handshake> {
  try {
    return await shaken;
  } catch (error) {
    if (!(error instanceof MeshError) || error.class !== 'ambiguous' || error.code === 'aborted-midway') throw error;
    const hint = error.code === 'answer-lost' ? unansweredHint : 'Nothing was sent: try again later.';
    const { code, operation, message, whoCanFix, status, wire, fields, retryAfterMs, serverTimeMs, cause } = error;
    const text = message.startsWith('handshake: ') ? message : `handshake: ${message}`;
    const rest = { status, wire, fields, retryAfterMs, serverTimeMs, cause };
    throw new MeshError({ code, operation, text, class: 'transient', whoCanFix, hint, ...rest });
  }
}

/** Version 2 answers with nothing and older services with an object; a page of a proxy is neither. */
async function expectMesh(answer: Answer, bytesMax: number): Promise<void> {
  const body = (await readBounded(answer, bytesMax, 'the limit jsonBytes')).toString('utf8').trim();
  if (body !== '' && !/^\{[^]*\}$/.test(body))
    throw clientError('unexpected-answer', 'handshake', { status: answer.status });
}
