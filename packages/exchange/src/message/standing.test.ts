import { parseMailboxId, parseMessageId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import type { MessageRecord, TimelineEvent } from '../store/ledger/message-records.ts';
import { type StandingFacts, standingOf } from './standing.ts';

const bornAtMs = Date.UTC(2026, 10, 21, 12);
const hourMs = 3_600_000;

function mailbox(id: string) {
  const parsed = parseMailboxId(id);
  if (parsed === undefined) throw new Error(`${id} is no mailbox id`);
  return parsed;
}

function messageIn(changed: Partial<MessageRecord>): MessageRecord {
  const messageId = parseMessageId('20261121120000000000_ABCDEF');
  if (messageId === undefined) throw new Error('the id is good');
  return {
    messageId,
    messageType: 'DATA',
    sender: mailbox('ALICE'),
    recipient: mailbox('BOB'),
    addressedTo: null,
    madeAs: null,
    originId: null,
    workflowId: 'WF',
    state: 'accepted',
    statusCode: '00',
    statusEvent: 'TRANSFER',
    statusDescription: 'Transferred to recipient mailbox',
    compressed: false,
    encrypted: false,
    sealed: '',
    linkedMessageId: null,
    createdAtMs: bornAtMs,
    acceptedAtMs: bornAtMs,
    expiresAtMs: bornAtMs + 120 * hourMs,
    stateAtMs: bornAtMs,
    acknowledgedAtMs: null,
    hideAtMs: bornAtMs + 720 * hourMs,
    payloadId: messageId,
    totalChunks: 1,
    sizeBytes: 1,
    contentEncoding: '',
    payloadDeleted: false,
    firstListedAtMs: null,
    firstDownloadAtMs: null,
    lastDownloadAtMs: null,
    downloads: 0,
    ...changed,
  };
}

function standing(changed: Partial<MessageRecord>, more: Partial<StandingFacts> = {}) {
  const message = messageIn(changed);
  return standingOf({
    message,
    timeline: [],
    missingChunks: [],
    routingMsMax: 4 * hourMs,
    uploadAbandonedMs: 120 * hourMs,
    ...more,
  });
}

const event = (kind: string, detail: string): TimelineEvent => ({
  eventNo: 1,
  atMs: bornAtMs,
  actor: 'exchange',
  kind,
  detail,
});

describe('where a message is and who has to do what', () => {
  it('names the chunks an upload waits for, who sends them, and when it is given up', () => {
    expect(standing({ state: 'uploading', totalChunks: 3 }, { missingChunks: [2, 3] })).toEqual({
      where: 'in no inbox yet: of its 3 chunks, missing are 2, 3',
      next: 'ALICE sends them; from 2026-11-26T12:00:00.000Z on it is given up, and ALICE gets a report',
    });
    const large = { missingChunks: Array.from({ length: 11 }, (_, at) => at + 2), uploadAbandonedMs: undefined };
    expect(standing({ state: 'uploading', totalChunks: 99 }, large)).toEqual({
      where: 'in no inbox yet: of its 99 chunks, missing are 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more',
      next: 'ALICE sends them',
    });
  });

  it('says of a message whose practice is looked up that nobody has it, and until when that lasts', () => {
    const { where, next } = standing({ state: 'routing', recipient: null });
    expect(where).toBe(
      'in no inbox yet: since 2026-11-21T12:00:00.000Z the exchange asks at which practice the patient is registered',
    );
    expect(next).toContain('from 2026-11-21T16:00:00.000Z on ALICE gets a report instead');
    expect(next).toContain('the operator looks for demographics-unavailable in the log');
  });

  it('tells a message nobody has looked at from one that was listed, and from one that was downloaded', () => {
    expect(standing({})).toEqual({
      where: 'in the inbox of BOB since 2026-11-21T12:00:00.000Z, never listed by it',
      next: 'BOB downloads and acknowledges it by 2026-11-26T12:00:00.000Z; after that it is withdrawn, and ALICE gets a report',
    });
    expect(standing({ firstListedAtMs: bornAtMs }).where).toContain(', listed by it at 2026-11-21T12:00:00.000Z');
    const downloaded = standing({ firstListedAtMs: bornAtMs, firstDownloadAtMs: bornAtMs + hourMs });
    expect(downloaded.where).toContain(', downloaded by it at 2026-11-21T13:00:00.000Z');
    expect(downloaded.next).toMatch(/^BOB acknowledges it by /);
  });

  it('promises a report about nothing that ends without one', () => {
    for (const silent of [{ messageType: 'REPORT', sender: null }, { madeAs: 'copy' }] as const) {
      expect(standing(silent).next).toBe(
        'BOB downloads and acknowledges it by 2026-11-26T12:00:00.000Z; after that it is withdrawn',
      );
    }
  });

  it('says that a rule brought it elsewhere, and which mailbox was addressed', () => {
    const addressedTo = mailbox('CAROL');
    expect(standing({ addressedTo }).where).toMatch(/; it was addressed to CAROL, and a rule redirected it$/);
    expect(standing({ addressedTo, madeAs: 'copy' }).where).toMatch(
      /; it was addressed to CAROL, and a rule made this copy$/,
    );
  });

  it('sends whoever asks to the operator when its bytes were found damaged', () => {
    const timeline = [event('accepted', ''), event('bytes-damaged', 'chunk 1, block 1')];
    expect(standing({}, { timeline }).next).toMatch(
      /^the operator restores its body from a backup, or ALICE sends it again/,
    );
  });

  it('has nothing left to do once it was acknowledged', () => {
    expect(standing({ state: 'acknowledged', acknowledgedAtMs: bornAtMs + hourMs })).toEqual({
      where: 'with BOB, who acknowledged it at 2026-11-21T13:00:00.000Z',
      next: 'nobody has to do anything here; BOB knows what became of it since',
    });
  });

  it.each([
    [
      'expired',
      '14: not collected',
      'not-collected',
      'ALICE and the recipient: Ask the recipient whether they collect',
    ],
    ['abandoned', '02: missing', 'missing-data', 'the sender ALICE: Send a body that is not empty, and every chunk'],
    ['refused', 'unregistered-recipient: mailbox NOBODY is unknown', '', 'the sender ALICE: Check the recipient'],
    [
      'refused',
      'too-many-gp-mailboxes: two',
      '',
      'the operator of the exchange: The practice has more than one mailbox',
    ],
  ])('says after %s %s who can mend it, and how, in the words of the catalogue', (kind, detail, _name, begins) => {
    const state = kind === 'expired' ? 'undeliverable' : 'error';
    const { where, next } = standing({ state, statusDescription: 'Why' }, { timeline: [event(kind, detail)] });
    expect(where).toMatch(/: Why \(2026-11-21T12:00:00\.000Z\)$/);
    expect(next.startsWith(begins)).toBe(true);
    expect(next).toContain('"message lineage" shows the report');
  });

  it('tells a mailbox that was closed from a recipient that did not collect', () => {
    const statusDescription = 'Message was not collected as the mailbox is deactivated';
    const timeline = [event('expired', `14: ${statusDescription}`)];
    expect(standing({ state: 'undeliverable', statusDescription }, { timeline }).next).toContain(
      'took this one’s place',
    );
  });

  it('guesses nothing about a message that was withdrawn by hand', () => {
    const timeline = [event('expired', '14: not collected'), event('set-error', '')];
    expect(standing({ state: 'error', statusDescription: '' }, { timeline })).toEqual({
      where: 'in no inbox, and it will come into none: no reason was given (2026-11-21T12:00:00.000Z)',
      next: '"message lineage" shows the report about it, if there is one; the timeline says who withdrew it',
    });
  });
});
