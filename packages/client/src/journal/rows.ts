import type { IncomingEntry, IncomingState, OutgoingEntry, OutgoingState } from './journal.ts';

/** As SQLite hands it out: the columns of `schema.ts`. */
export type Row = Record<string, string | number | bigint | Uint8Array | null>;

function fromJson(value: Row[string] | undefined): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null;
}

function textOrNull(value: Row[string] | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export function toOutgoing(row: Row): OutgoingEntry {
  return {
    pair: Number(row['pair']),
    mailbox: String(row['mailbox']),
    base: String(row['base']),
    controlName: String(row['control_name']),
    dataName: textOrNull(row['data_name']),
    controlPrint: String(row['control_print']),
    dataPrint: textOrNull(row['data_print']),
    key: String(row['key']),
    localId: textOrNull(row['local_id']),
    state: row['state'] as OutgoingState,
    messageId: textOrNull(row['message_id']),
    upload: textOrNull(row['upload']),
    outcome: fromJson(row['outcome']) as OutgoingEntry['outcome'],
    moves: fromJson(row['moves']) as OutgoingEntry['moves'],
    failedCycles: Number(row['failed_cycles']),
    delayReported: row['delay_reported'] === 1,
    doubtfulSends: Number(row['doubtful_sends']),
    changedMs: Number(row['changed_ms']),
  };
}

export function toIncoming(row: Row): IncomingEntry {
  return {
    mailbox: String(row['mailbox']),
    messageId: String(row['message_id']),
    state: row['state'] as IncomingState,
    isReport: row['is_report'] === 1,
    linkedId: textOrNull(row['linked_id']),
    moves: fromJson(row['moves']) as OutgoingEntry['moves'],
    progress: textOrNull(row['progress']),
    changedMs: Number(row['changed_ms']),
  };
}
