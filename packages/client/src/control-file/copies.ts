import type { MessageMetadata } from '@openmesh/sdk';
import { type ControlField, type ControlFile, fieldOf, type StatusRecord, withFields } from './control-file.ts';
import { twoDigitCode, type Verdict } from './outcomes.ts';
import { parseUtcDigits, type StatusZone, statusDateTime } from './status-time.ts';

export interface CopyRules {
  readonly statusTime: StatusZone;
  readonly statusCodes: 'asSent' | 'twoDigits';
  readonly reportDtsId: 'own' | 'linked';
  readonly redactSent: boolean;
}

/** A verdict with its time, as a control file says it. */
export function statusOf(
  verdict: Verdict | (Omit<Verdict, 'status'> & { status: string }),
  atMs: number,
  rules: CopyRules,
): StatusRecord {
  const { event, status, statusCode, description } = verdict;
  return {
    dateTime: statusDateTime(atMs, rules.statusTime),
    event,
    status,
    statusCode: rules.statusCodes === 'twoDigits' ? twoDigitCode(statusCode) : statusCode,
    description,
  };
}

export interface OutgoingFacts {
  readonly mailbox: string;
  /** Undefined where the service gave none. */
  readonly messageId: string | undefined;
  /** The client packed it on the way. */
  readonly gzip: boolean;
}

/** The sender's control file as it goes to SENT or FAILED. */
export function settledCopy(
  file: ControlFile,
  facts: OutgoingFacts,
  status: StatusRecord,
  rules: CopyRules,
): ControlFile {
  const named: Partial<Record<ControlField, string>> = {
    ...(facts.messageId === undefined ? {} : { DTSId: facts.messageId }),
    ...(file.fields.has('From_DTS') ? {} : { From_DTS: facts.mailbox }),
    ...(facts.gzip ? { IsCompressed: 'Y' } : {}),
  };
  const copy = withFields({ fields: file.fields, status }, named);
  const to = fieldOf(copy, 'To_DTS') ?? '';
  return rules.redactSent && to.startsWith('GPPROVIDER_')
    ? withFields(copy, { To_DTS: 'GPPROVIDER_***_***_***' })
    : copy;
}

/** A report the client makes about a pair: the same body, as a report. */
export function reportCopy(file: ControlFile, facts: OutgoingFacts, status: StatusRecord): ControlFile {
  return withFields(
    { fields: file.fields, status },
    {
      MessageType: 'Report',
      ...(file.fields.has('From_DTS') ? {} : { From_DTS: facts.mailbox }),
      ...(facts.messageId === undefined ? {} : { DTSId: facts.messageId }),
      IsCompressed: 'N',
    },
  );
}

/** What stands in for a control file that could not be read, or for a poll that belongs to no pair. */
export function bareFile(mailbox: string, localId: string | null = null): ControlFile {
  return {
    fields: new Map<ControlField, string>([
      ['Version', '1.0'],
      ['AddressType', 'DTS'],
      ['MessageType', 'Report'],
      ['From_DTS', mailbox],
      ['To_DTS', ''],
      ...(localId === null ? [] : [['LocalId', localId] as const]),
    ]),
  };
}

/** The control file beside received data. */
export function receivedCopy(metadata: MessageMetadata, mailbox: string, rules: CopyRules, nowMs: number): ControlFile {
  const { headers } = metadata;
  const from = metadata.from ?? '';
  const to = metadata.to ?? mailbox;
  const address = (header: string, id: string): string =>
    headers.get(header) || (id === '' ? '' : `${id.toLowerCase()}@dts.nhs.uk`);
  return {
    fields: new Map<ControlField, string>([
      ['Version', headers.get('mex-version') || '1.0'],
      ['AddressType', headers.get('mex-addresstype') || 'ALL'],
      ['MessageType', 'Data'],
      ['From_DTS', from],
      ['To_DTS', to],
      ['From_ESMTP', address('mex-fromsmtp', from)],
      ['To_ESMTP', address('mex-tosmtp', to)],
      ['Subject', metadata.subject ?? ''],
      ['LocalId', metadata.localId ?? ''],
      ['DTSId', metadata.messageId],
      ['PartnerId', metadata.partnerId ?? ''],
      ['Compress', headers.get('mex-content-compress') || 'N'],
      ['Encrypted', metadata.encrypted ? 'Y' : 'N'],
      ['WorkflowId', metadata.workflowId ?? ''],
      ['ProcessId', headers.get('mex-processid') ?? ''],
      ['DataChecksum', metadata.checksum ?? ''],
      // What travelled packed was unpacked on the way in.
      ['IsCompressed', 'N'],
    ]),
    status: serviceStatus(metadata, rules, nowMs),
  };
}

/** A report of the service: a control file without data. */
export function serviceReport(
  metadata: MessageMetadata,
  mailbox: string,
  rules: CopyRules,
  nowMs: number,
): ControlFile {
  const { headers, linkedMessageId } = metadata;
  return {
    fields: new Map<ControlField, string>([
      ['Version', headers.get('mex-version') || '1.0'],
      ['AddressType', headers.get('mex-addresstype') || 'ALL'],
      ['MessageType', 'Report'],
      ['From_DTS', metadata.from ?? ''],
      ['To_DTS', metadata.to ?? mailbox],
      ['Subject', metadata.subject ?? ''],
      ['LocalId', metadata.localId ?? ''],
      ['DTSId', rules.reportDtsId === 'linked' ? (linkedMessageId ?? metadata.messageId) : metadata.messageId],
      ['WorkflowId', metadata.workflowId ?? ''],
    ]),
    status: serviceStatus(metadata, rules, nowMs),
  };
}

/** The service's own words; a message that came without any has arrived, and says so, for readers insist on it. */
function serviceStatus({ status, type }: MessageMetadata, rules: CopyRules, nowMs: number): StatusRecord {
  const arrived = type === 'DATA';
  return statusOf(
    {
      event: status.event ?? (arrived ? 'TRANSFER' : 'SEND'),
      status: status.isSuccess ? 'SUCCESS' : 'ERROR',
      statusCode: status.code ?? (status.isSuccess ? '00' : '14'),
      description: status.description ?? (arrived ? 'Transferred to recipient mailbox' : ''),
    },
    parseUtcDigits(status.timestamp) ?? nowMs,
    rules,
  );
}
