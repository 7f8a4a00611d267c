/**
 * The elements of a control file in the order in which the client writes them, which is the order found in real files.
 * `AllowChunking` does not occur beside received data, and what the sender did not give is left out of his copy.
 */
export const controlFields = [
  'Version',
  'AddressType',
  'MessageType',
  'From_DTS',
  'To_DTS',
  'From_ESMTP',
  'To_ESMTP',
  'Subject',
  'LocalId',
  'DTSId',
  'PartnerId',
  'Compress',
  'Encrypted',
  'WorkflowId',
  'ProcessId',
  'DataChecksum',
  'IsCompressed',
  'AllowChunking',
] as const;
export type ControlField = (typeof controlFields)[number];

/** The four moments of a message's life that a status can be about. Servers have used other words, so it is text. */
export const statusEvents = {
  /** The client takes a pair from OUT. */
  collect: 'COLLECT',
  /** Client to server; beside received data: server to recipient's mailbox. */
  transfer: 'TRANSFER',
  /** Server towards the recipient. */
  send: 'SEND',
  /** The client polls the server. */
  receive: 'RECEIVE',
} as const;

export interface StatusRecord {
  /** 14 digits, `YYYYMMDDhhmmss`. */
  readonly dateTime: string;
  readonly event: string;
  /** SUCCESS or ERROR. */
  readonly status: string;
  /** Two digits, `EPL-15x`, or a word. */
  readonly statusCode: string;
  readonly description: string;
}

/** A control file: the elements it has, and the outcome where it has one. An absent element and an empty one differ. */
export interface ControlFile {
  readonly fields: ReadonlyMap<ControlField, string>;
  readonly status?: StatusRecord;
}

/** The value of an element; undefined when it is absent or empty. */
export function fieldOf(file: ControlFile, field: ControlField): string | undefined {
  return file.fields.get(field) || undefined;
}

/** The same file with elements replaced or added. */
export function withFields(file: ControlFile, fields: Partial<Record<ControlField, string>>): ControlFile {
  return { ...file, fields: new Map([...file.fields, ...(Object.entries(fields) as [ControlField, string][])]) };
}
