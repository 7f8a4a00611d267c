import { parseMailboxId, sendHeaderLengthMax, toHeaderText } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';

/**
 * What a message says of itself. Texts may hold any character: what is not Latin-1 travels as the bytes of its UTF-8,
 * and line ends become spaces.
 */
export interface OutgoingMessage {
  /** A mailbox id, or `GPPROVIDER_{nhsNumber}_{dateOfBirth}_{surname}`. */
  readonly to: string;
  readonly workflowId: string;
  readonly subject?: string | undefined;
  /** The sender's own reference. Make it unique, and a send whose answer was lost can be found again. No patients’ data. */
  readonly localId?: string | undefined;
  readonly fileName?: string | undefined;
  readonly partnerId?: string | undefined;
  /** Opaque to the service: letters, digits, `:`, `-`, `/` and blanks. */
  readonly checksum?: string | undefined;
  readonly contentType?: string | undefined;
  /** The payload itself is compressed, by whoever made it. Has nothing to do with compression on the way. */
  readonly compressed?: boolean | undefined;
  readonly encrypted?: boolean | undefined;
}

type LimitedName = keyof typeof sendHeaderLengthMax;

/** The headers of a first chunk but for its range. Throws `invalid-option` for a text that is too long or missing. */
export function messageHeaders(message: OutgoingMessage, from: string): Record<string, string> {
  const headers: Record<string, string> = { 'mex-from': from, 'mex-messagetype': 'DATA' };
  const add = (name: LimitedName, option: string, text: string | undefined): void => {
    if (text === undefined || text === '') return;
    const value = toHeaderText(text);
    const lengthMax = sendHeaderLengthMax[name];
    if (value.length > lengthMax) invalid(`${option} takes at most ${lengthMax} bytes`);
    headers[name] = value;
  };
  if (message.to.trim() === '') invalid('to is missing');
  if (message.workflowId.trim() === '') invalid('workflowId is missing');
  add('mex-to', 'to', parseMailboxId(message.to) ?? message.to.trim());
  add('mex-workflowid', 'workflowId', message.workflowId.trim());
  add('mex-subject', 'subject', message.subject);
  add('mex-localid', 'localId', message.localId);
  add('mex-filename', 'fileName', message.fileName);
  add('mex-partnerid', 'partnerId', message.partnerId);
  add('mex-content-checksum', 'checksum', message.checksum);
  add('mex-content-type', 'contentType', message.contentType);
  if (message.compressed === true) headers['mex-content-compressed'] = 'Y';
  if (message.encrypted === true) headers['mex-content-encrypted'] = 'Y';
  return headers;
}

function invalid(detail: string): never {
  throw clientError('invalid-option', 'send', { detail });
}
