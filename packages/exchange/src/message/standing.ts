import { type ErrorEntry, type ErrorName, errorEntry, errorNames } from '@openmesh/protocol';
import type { MessageRecord, TimelineEvent } from '../store/ledger/message-records.ts';

/** Where a message is and who has to do something, in words for whoever is asked about it. Nothing personal is in it. */
export interface Standing {
  readonly where: string;
  readonly next: string;
}

export interface StandingFacts {
  readonly message: MessageRecord;
  readonly timeline: readonly TimelineEvent[];
  /** Of an upload: the chunks that have not come, as far as they were looked for. */
  readonly missingChunks: readonly number[];
  /** How long an address that is not resolved is asked about, in milliseconds. */
  readonly routingMsMax: number;
  /** How long after its first chunk an open upload is given up, in milliseconds; undefined: never. */
  readonly uploadAbandonedMs: number | undefined;
}

const missingNamedMax = 10;

export function standingOf(facts: StandingFacts): Standing {
  const { message } = facts;
  const recipient = message.recipient ?? 'nobody';
  switch (message.state) {
    case 'uploading':
      return ofUpload(facts);
    case 'routing':
      return ofRouting(facts);
    case 'accepted':
      return { where: inInbox(message, recipient), next: toCollect(facts, recipient) };
    case 'acknowledged':
      return {
        where: `with ${recipient}, who acknowledged it at ${instant(message.acknowledgedAtMs ?? message.stateAtMs)}`,
        next: `nobody has to do anything here; ${recipient} knows what became of it since`,
      };
    case 'undeliverable':
      return { where: `withdrawn from the inbox of ${recipient}: ${said(message)}`, next: afterFailure(facts) };
    case 'error':
      return { where: `in no inbox, and it will come into none: ${said(message)}`, next: afterFailure(facts) };
  }
}

function ofUpload({ message, missingChunks, uploadAbandonedMs }: StandingFacts): Standing {
  const sender = senderOf(message);
  const named = missingChunks.slice(0, missingNamedMax).join(', ');
  const more = missingChunks.length > missingNamedMax ? ' and more' : '';
  const until =
    uploadAbandonedMs === undefined
      ? ''
      : `; from ${instant(message.createdAtMs + uploadAbandonedMs)} on it is given up, and ${sender} gets a report`;
  return {
    where: `in no inbox yet: of its ${message.totalChunks} chunks, missing are ${named}${more}`,
    next: `${sender} sends them${until}`,
  };
}

function ofRouting({ message, routingMsMax }: StandingFacts): Standing {
  const sinceMs = message.acceptedAtMs ?? message.createdAtMs;
  return {
    where: `in no inbox yet: since ${instant(sinceMs)} the exchange asks at which practice the patient is registered`,
    next:
      `the exchange goes on asking by itself; from ${instant(sinceMs + routingMsMax)} on ${senderOf(message)} gets a report instead. ` +
      'If it takes longer than a minute, the operator looks for demographics-unavailable in the log',
  };
}

function inInbox(message: MessageRecord, recipient: string): string {
  const { firstListedAtMs, firstDownloadAtMs, addressedTo, madeAs } = message;
  const listed = firstListedAtMs === null ? 'never listed by it' : `listed by it at ${instant(firstListedAtMs)}`;
  const seen = firstDownloadAtMs === null ? listed : `downloaded by it at ${instant(firstDownloadAtMs)}`;
  const elsewhere =
    addressedTo === null || addressedTo === recipient
      ? ''
      : `; it was addressed to ${addressedTo}, and a rule ${madeAs === 'copy' ? 'made this copy' : 'redirected it'}`;
  return `in the inbox of ${recipient} since ${instant(message.stateAtMs)}, ${seen}${elsewhere}`;
}

function toCollect({ message, timeline }: StandingFacts, recipient: string): string {
  const sender = senderOf(message);
  if (timeline.some(({ kind }) => kind === 'bytes-damaged')) {
    return `the operator restores its body from a backup, or ${sender} sends it again: its bytes were found damaged`;
  }
  const isTold = message.messageType === 'DATA' && message.madeAs !== 'copy' && message.sender !== null;
  const after = isTold ? `, and ${sender} gets a report` : '';
  const deadline =
    message.expiresAtMs === null ? '' : ` by ${instant(message.expiresAtMs)}; after that it is withdrawn${after}`;
  return `${recipient} ${message.firstDownloadAtMs === null ? 'downloads and acknowledges' : 'acknowledges'} it${deadline}`;
}

/** What the catalogue says of the error, of which the timeline has the name or the record the code. */
function afterFailure({ message, timeline }: StandingFacts): string {
  const told = '"message lineage" shows the report about it, if there is one';
  const name = nameOfFailure(message, timeline);
  if (name === undefined) return `${told}; the timeline says who withdrew it`;
  const { hint, whoCanFix }: ErrorEntry = errorEntry(name);
  const who = {
    caller: `the sender ${senderOf(message)}`,
    recipient: `${senderOf(message)} and the recipient`,
    operator: 'the operator of the exchange',
    nobody: 'nobody',
  }[whoCanFix];
  return `${who}: ${hint} ${told}`;
}

function nameOfFailure(message: MessageRecord, timeline: readonly TimelineEvent[]): ErrorName | undefined {
  for (const { kind, detail } of timeline.toReversed()) {
    if (kind.startsWith('set-')) return undefined;
    if (kind === 'abandoned') return 'missing-data';
    if (kind === 'expired') {
      return message.statusDescription === errorEntry('not-collected-mailbox-deactivated').text
        ? 'not-collected-mailbox-deactivated'
        : 'not-collected';
    }
    const [first] = detail.split(':');
    if (kind === 'refused') return errorNames.find((name) => name === first);
  }
  return undefined;
}

function said({ statusDescription, stateAtMs }: MessageRecord): string {
  return `${statusDescription || 'no reason was given'} (${instant(stateAtMs)})`;
}

function senderOf({ sender }: MessageRecord): string {
  return sender ?? 'the exchange';
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
