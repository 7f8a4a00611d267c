import { Counter, Gauge, type Registry } from 'prom-client';

/** What is counted, for people and machines. Labels name mailboxes and kinds, never messages. */
export interface Counters {
  readonly sent: Counter<'mailbox'>;
  readonly sentBytes: Counter<'mailbox'>;
  readonly failed: Counter<'mailbox' | 'code'>;
  readonly received: Counter<'mailbox' | 'type'>;
  readonly receivedBytes: Counter<'mailbox'>;
  readonly faults: Counter<'mailbox' | 'direction' | 'kind'>;
  readonly doubts: Counter<'mailbox' | 'resolved'>;
  readonly waiting: Gauge<'mailbox' | 'folder'>;
  readonly lastPoll: Gauge<'mailbox'>;
  readonly lastSend: Gauge<'mailbox'>;
  readonly certificateDays: Gauge<'certificate'>;
}

const name = (rest: string): string => `openmesh_client_${rest}`;

export function makeCounters(registry: Registry): Counters {
  const registers = [registry];
  const counter = <Label extends string>(rest: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name: name(rest), help, labelNames, registers });
  const gauge = <Label extends string>(rest: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name: name(rest), help, labelNames, registers });
  return {
    sent: counter('pairs_sent_total', 'Pairs the service has accepted', 'mailbox'),
    sentBytes: counter('sent_bytes_total', 'Bytes of their data files', 'mailbox'),
    failed: counter('pairs_failed_total', 'Pairs that went to FAILED, by status code', 'mailbox', 'code'),
    received: counter('messages_received_total', 'Messages and reports placed in IN', 'mailbox', 'type'),
    receivedBytes: counter('received_bytes_total', 'Bytes of their data files', 'mailbox'),
    faults: counter(
      'faults_total',
      'Turns that ended early: the service, the way to it, or the disk',
      'mailbox',
      'direction',
      'kind',
    ),
    doubts: counter('doubts_total', 'Sends whose answer was lost, by how that was resolved', 'mailbox', 'resolved'),
    waiting: gauge('waiting', 'Pairs in OUT, held pairs, messages not yet acknowledged', 'mailbox', 'folder'),
    lastPoll: gauge('last_successful_poll_seconds', 'When the inbox was last listed, seconds since 1970', 'mailbox'),
    lastSend: gauge('last_successful_send_seconds', 'When a pair was last accepted, seconds since 1970', 'mailbox'),
    certificateDays: gauge('certificate_days_left', 'Days until a certificate of the client ends', 'certificate'),
  };
}
