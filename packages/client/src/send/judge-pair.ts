import { sendHeaderLengthMax, toHeaderText } from '@openmesh/protocol';
import type { OutgoingMessage } from '@openmesh/sdk';
import { type ControlFile, fieldOf } from '../control-file/control-file.ts';
import { type Verdict, verdicts } from '../control-file/outcomes.ts';

/** How a pair is to be sent. */
export interface SendOrder {
  readonly message: OutgoingMessage;
  /** The client packs it on the way. */
  readonly gzip: boolean;
  readonly mayChunk: boolean;
  /** Something to tell the operator, none of which stops the pair. */
  readonly remarks: readonly ('version' | 'subject-cut')[];
}

export interface JudgeRules {
  readonly mailbox: string;
  readonly compressByDefault: boolean;
  readonly chunkingByDefault: boolean;
}

/** Reads a control file from OUT as an order to send, or finds why it is none. Pure. */
export function judgePair(file: ControlFile, dataName: string, rules: JudgeRules): SendOrder | Verdict {
  const messageType = fieldOf(file, 'MessageType') ?? 'Data';
  if (messageType.toLowerCase() !== 'data') return verdicts.wrongMessageType;
  if (!/^(dts|all)$/i.test(fieldOf(file, 'AddressType') ?? 'DTS')) return verdicts.wrongAddressType;
  const version = fieldOf(file, 'Version') ?? '1.0';
  if (!/^\d{1,4}(\.\d{1,4})?$/.test(version)) return verdicts.wrongVersion;
  const from = fieldOf(file, 'From_DTS');
  if (from !== undefined && from.toUpperCase() !== rules.mailbox.toUpperCase()) return verdicts.wrongFrom;
  const to = oneLine(fieldOf(file, 'To_DTS') ?? '');
  if (to === '' || isUrl(to)) return verdicts.wrongTo;
  const workflowId = oneLine(fieldOf(file, 'WorkflowId') ?? '');
  if (workflowId === '' || isUrl(workflowId)) return verdicts.malformed;
  const text = (field: 'Subject' | 'LocalId' | 'PartnerId' | 'DataChecksum'): string | undefined => {
    const value = fieldOf(file, field);
    return value === undefined ? undefined : oneLine(value);
  };
  const subject = text('Subject');
  const fits = subject === undefined || wireLength(subject) <= sendHeaderLengthMax['mex-subject'];
  const message: OutgoingMessage = {
    to,
    workflowId,
    fileName: dataName,
    subject: fits || subject === undefined ? subject : cut(subject, sendHeaderLengthMax['mex-subject']),
    localId: text('LocalId'),
    partnerId: text('PartnerId'),
    checksum: text('DataChecksum'),
    compressed: isYes(fieldOf(file, 'IsCompressed')),
    encrypted: isYes(fieldOf(file, 'Encrypted')),
  };
  if (!isWithinLimits(message)) return verdicts.malformed;
  const compress = fieldOf(file, 'Compress');
  const chunking = fieldOf(file, 'AllowChunking');
  return {
    message,
    // What somebody encrypted does not become smaller.
    gzip: message.encrypted !== true && (compress === undefined ? rules.compressByDefault : isYes(compress)),
    mayChunk: chunking === undefined ? rules.chunkingByDefault : isYes(chunking),
    remarks: [
      ...(/^1(\.0)?$/.test(version) ? [] : (['version'] as const)),
      ...(fits ? [] : (['subject-cut'] as const)),
    ],
  };
}

export function isOrder(judged: SendOrder | Verdict): judged is SendOrder {
  return 'message' in judged;
}

function isWithinLimits(message: OutgoingMessage): boolean {
  const limited = [
    [message.to, 'mex-to'],
    [message.workflowId, 'mex-workflowid'],
    [message.localId, 'mex-localid'],
    [message.fileName, 'mex-filename'],
    [message.partnerId, 'mex-partnerid'],
    [message.checksum, 'mex-content-checksum'],
  ] as const;
  const short = limited.every(
    ([text, header]) => text === undefined || wireLength(text) <= sendHeaderLengthMax[header],
  );
  // The service takes nothing else in a checksum, and no address of the web.
  return (
    short &&
    (message.checksum === undefined || /^[A-Za-z0-9:\-/\s]*$/.test(message.checksum)) &&
    !isUrl(message.checksum)
  );
}

function wireLength(text: string): number {
  return toHeaderText(text).length;
}

function cut(text: string, lengthMax: number): string {
  let short = text;
  while (wireLength(short) > lengthMax) short = short.slice(0, -1);
  return short.toWellFormed();
}

/** Line ends, tabs and other control characters as one blank each: the service refuses them. */
function oneLine(text: string): string {
  return text.replace(/\r\n|\p{Cc}/gu, ' ').trim();
}

function isYes(value: string | undefined): boolean {
  return /^(y|yes|true|1)$/i.test(value ?? '');
}

function isUrl(text: string | undefined): boolean {
  return /^https?:\/\//i.test(text ?? '');
}
