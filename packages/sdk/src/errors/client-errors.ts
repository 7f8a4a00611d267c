import type { ErrorClass, MessageId, WhoCanFix } from '@openmesh/protocol';
import { MeshError, type OperationName } from './mesh-error.ts';

interface ClientErrorEntry {
  readonly text: string;
  readonly class: ErrorClass;
  readonly whoCanFix: WhoCanFix;
  readonly hint: string;
}

/** What only a client can meet: the way to the service, answers that are none, and its own input. */
export const clientErrors = {
  'connection-failed': {
    text: 'no connection to the service could be made',
    class: 'transient',
    whoCanFix: 'operator',
    hint: 'Check the URL, the network, the firewall and the proxy; "mesh doctor" finds which of them it is.',
  },
  'proxy-refused': {
    text: 'the proxy would not connect to the service',
    class: 'transient',
    whoCanFix: 'operator',
    hint: 'Ask whoever runs the proxy to allow CONNECT to this host and port, and check the name and password for it.',
  },
  'server-certificate-rejected': {
    text: 'the certificate of the service is not one this client trusts',
    class: 'permanent',
    whoCanFix: 'operator',
    hint: 'Give the authority that issued it, or the name it was issued for; never switch the check off for patients’ data.',
  },
  'client-certificate-refused': {
    text: 'the service refused the client certificate, or misses one',
    class: 'permanent',
    whoCanFix: 'operator',
    hint: 'Present a certificate issued for this environment that has not expired, with its key.',
  },
  'client-certificate-unusable': {
    text: 'the client certificate, its key or the passphrase cannot be used',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'Check that certificate and key belong together and that the passphrase is right; a PKCS#12 file with old encryption must be made anew.',
  },
  'answer-lost': {
    text: 'the connection was lost before the whole answer had come',
    class: 'ambiguous',
    whoCanFix: 'nobody',
    hint: 'The request may have taken effect: look before repeating it.',
  },
  'timed-out': {
    text: 'the service did not answer in time',
    class: 'ambiguous',
    whoCanFix: 'nobody',
    hint: 'The request may have taken effect: look before repeating it. On a slow line send smaller chunks or allow more time.',
  },
  aborted: {
    text: 'the call was ended by its signal',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'Nothing was done, or nothing that a repeat would do twice.',
  },
  'aborted-midway': {
    text: 'the call was ended by its signal after the request had begun',
    class: 'ambiguous',
    whoCanFix: 'caller',
    hint: 'The request may have taken effect: look before repeating it.',
  },
  'validation-failed': {
    text: 'the service found a header or parameter it does not take',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'The fields of this error name each of them.',
  },
  'unexpected-refusal': {
    text: 'the service refused the request with an error this client does not know',
    class: 'permanent',
    whoCanFix: 'operator',
    hint: 'Look at the status and the words of the service; is the URL that of a MESH service?',
  },
  'service-failed': {
    text: 'the service, or a gateway before it, failed',
    class: 'ambiguous',
    whoCanFix: 'operator',
    hint: 'Try again later; of a send, find out first whether it took effect.',
  },
  'service-busy': {
    text: 'the service, or a gateway before it, cannot serve the request at present',
    class: 'transient',
    whoCanFix: 'operator',
    hint: 'Try again later.',
  },
  'unexpected-answer': {
    text: 'the answer is not one of a MESH service',
    class: 'permanent',
    whoCanFix: 'operator',
    hint: 'Check that the URL leads to a MESH service and not to a proxy’s page or another server.',
  },
  'answer-too-large': {
    text: 'the answer is larger than this client takes',
    class: 'permanent',
    whoCanFix: 'operator',
    hint: 'Check that the URL leads to a MESH service; if it does, raise the limit that the error names.',
  },
  'content-damaged': {
    text: 'the bytes received are not what was announced',
    class: 'transient',
    whoCanFix: 'nobody',
    hint: 'Download it again; if it comes out the same, ask the sender whether the content is really gzip.',
  },
  'payload-empty': {
    text: 'there is nothing to send: the payload is empty',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'A message carries at least one byte.',
  },
  'payload-too-large': {
    text: 'the payload needs more chunks than a message may have',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'Send larger chunks, or several messages.',
  },
  'payload-changed': {
    text: 'the payload changed while it was being sent, or since the upload began',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'Let nobody write to a file while it is being sent; begin a new upload.',
  },
  'payload-unreadable': {
    text: 'the payload could not be read',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'The cause says what went wrong; nothing of a message is delivered that did not arrive whole.',
  },
  'file-unusable': {
    text: 'the file to download into could not be made, written or read',
    class: 'permanent',
    whoCanFix: 'operator',
    hint: 'Make room, allow writing, or choose a file that does not exist yet; the message still waits in the inbox.',
  },
  'state-unusable': {
    text: 'the saved state belongs to another transfer, or the file it speaks of has changed',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'Begin the transfer anew, without a state.',
  },
  'not-read': {
    text: 'the message was not read to its end, so it was not acknowledged',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'Read it whole, or say what is meant: acknowledge() or leave().',
  },
  'invalid-option': {
    text: 'an option of this call cannot be used',
    class: 'permanent',
    whoCanFix: 'caller',
    hint: 'The text names the option and what it takes.',
  },
} as const satisfies Record<string, ClientErrorEntry>;

export type ClientErrorName = keyof typeof clientErrors;

export interface ClientErrorMore {
  /** Added to the catalogue's sentence after a colon; no personal data, no secret. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
  readonly status?: number | undefined;
  readonly messageId?: MessageId | undefined;
}

/** The error of this name, met in `operation`. */
export function clientError(code: ClientErrorName, operation: OperationName, more: ClientErrorMore = {}): MeshError {
  const { text, ...entry } = clientErrors[code];
  const { detail, ...rest } = more;
  return new MeshError({
    code,
    operation,
    text: detail === undefined ? text : `${text}: ${detail}`,
    ...entry,
    ...rest,
  });
}
