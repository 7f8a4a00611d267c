import { statusEvents } from './control-file.ts';

/** An outcome in the words of a control file, before it is known when. */
export interface Verdict {
  readonly event: string;
  readonly status: 'SUCCESS' | 'ERROR';
  readonly statusCode: string;
  readonly description: string;
}

const { collect, transfer, send, receive } = statusEvents;
const success = (event: string, description: string): Verdict => ({
  event,
  status: 'SUCCESS',
  statusCode: '00',
  description,
});
const error = (event: string, statusCode: string, description: string): Verdict => ({
  event,
  status: 'ERROR',
  statusCode,
  description,
});

/** Every outcome the client finds by itself. The same number means different things in the mouth of the service. */
export const verdicts = {
  collected: success(collect, 'Data collect success confirmation.'),
  transferred: success(transfer, 'Data Transfer success confirmation.'),
  polled: success(receive, 'Poll report success confirmation.'),
  controlUnreadable: error(collect, '01', 'Control file missing or inaccessible.'),
  dataMissing: error(collect, '02', 'Data file missing or inaccessible.'),
  serverNotTrusted: error(transfer, '03', 'Server authentication failure.'),
  notAuthenticated: error(transfer, '04', 'Client authentication failure: mailbox name or password.'),
  delayed: {
    event: transfer,
    status: 'SUCCESS',
    statusCode: '05',
    description: 'Transfer delayed: it failed and will be tried again.',
  },
  retriesUsedUp: error(transfer, '06', 'Transfer failed: all attempts were used up.'),
  malformed: error(transfer, '06', 'Malformed control file.'),
  tooLargeForOneMessage: error(transfer, '06', 'Data file too large: AllowChunking is not Y.'),
  tooLarge: error(transfer, '06', 'Data file too large.'),
  wrongFrom: error(send, '07', 'Invalid From address in the control file.'),
  wrongTo: error(send, '08', 'Invalid or missing To address in the control file.'),
  wrongVersion: error(send, '09', 'Invalid version of the control file.'),
  wrongAddressType: error(send, '10', 'Invalid address type in the control file.'),
  wrongMessageType: error(send, '11', 'Invalid message type in the control file.'),
  pollFailed: error(receive, '15', 'Poll failed: see the log.'),
  pollServerNotTrusted: error(receive, '16', 'Invalid server certificate.'),
  pollNotAuthenticated: error(receive, '17', 'Client authentication failure: mailbox name or password.'),
} as const satisfies Record<string, Verdict>;

/** A code for readers that know two digits only. */
export function twoDigitCode(code: string): string {
  if (/^\d\d$/.test(code)) return code;
  return code.startsWith('EPL-') ? '12' : '06';
}
