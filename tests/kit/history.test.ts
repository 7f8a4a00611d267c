import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClientEvent, type ViolationKind, violationsOf } from './history.ts';
import { HistoryRecorder, type Observed } from './history-recorder.ts';

function send(key: string, id: string, to = 'B'): Observed {
  return { kind: 'send', key, to, digest: `bytes of ${key}`, outcome: 'accepted', id };
}
function unknownSend(key: string, to = 'B'): Observed {
  return { kind: 'send', key, to, digest: `bytes of ${key}`, outcome: 'unknown' };
}
function list(ids: readonly string[], mailbox = 'B'): Observed {
  return { kind: 'list', mailbox, ids };
}
function got(id: string, key: string, mailbox = 'B', digest = `bytes of ${key}`): Observed {
  return { kind: 'download', mailbox, id, outcome: 'got', key, digest };
}
function acknowledge(id: string, outcome: 'accepted' | 'unknown' | 'refused' = 'accepted', mailbox = 'B'): Observed {
  return { kind: 'acknowledge', mailbox, id, outcome };
}
/** One client: each operation begins after the one before has ended. */
function oneByOne(...observed: readonly Observed[]): readonly ClientEvent[] {
  const recorder = new HistoryRecorder();
  for (const each of observed) recorder.end(recorder.begin(), each);
  return recorder.events;
}
function kindsOf(events: readonly ClientEvent[]): readonly ViolationKind[] {
  return [...new Set(violationsOf(events).map((each) => each.kind))];
}

describe('the history checker accuses', () => {
  const accused: readonly [string, ViolationKind, readonly Observed[]][] = [
    ['an accepted message that is not listed', 'lost', [send('k', '1'), list([])]],
    [
      'an accepted message that cannot be downloaded',
      'lost',
      [send('k', '1'), { kind: 'download', mailbox: 'B', id: '1', outcome: 'gone' }],
    ],
    [
      'an accepted message its sender cannot track',
      'lost',
      [send('k', '1'), { kind: 'track', id: '1', status: 'none' }],
    ],
    [
      'an upload whose chunks were answered and then forgotten',
      'lost',
      [{ kind: 'send', key: 'k', to: 'B', digest: 'bytes of k', outcome: 'forgotten', id: '1' }],
    ],
    ['one id told to two senders', 'lost', [send('k', '1'), send('l', '1'), list(['1'])]],
    ['other bytes', 'bytes-differ', [send('k', '1'), list(['1']), got('1', 'k', 'B', 'bytes of another')]],
    ['other bytes of an unknown send', 'bytes-differ', [unknownSend('k'), list(['1']), got('1', 'k', 'B', 'half')]],
    ['a listing in another mailbox', 'wrong-mailbox', [send('k', '1'), list(['1'], 'C')]],
    ['a download from another mailbox', 'wrong-mailbox', [send('k', '1'), got('1', 'k', 'C')]],
    ['an unknown send in another mailbox', 'wrong-mailbox', [unknownSend('k'), list(['1'], 'C'), got('1', 'k', 'C')]],
    ['an acknowledged message that is listed', 'came-back', [send('k', '1'), acknowledge('1'), list(['1'])]],
    ['an acknowledged message that is downloaded', 'came-back', [send('k', '1'), acknowledge('1'), got('1', 'k')]],
    [
      'an acknowledged message tracked as accepted',
      'came-back',
      [send('k', '1'), acknowledge('1'), { kind: 'track', id: '1', status: 'accepted' }],
    ],
    [
      'a message that was gone and is there again',
      'came-back',
      [send('k', '1'), acknowledge('1', 'unknown'), list([]), list(['1'])],
    ],
    [
      'an accepted attempt that made two messages',
      'twice',
      [send('k', '1'), list(['1', '2']), got('1', 'k'), got('2', 'k')],
    ],
    [
      'an unknown attempt that made two messages',
      'twice',
      [unknownSend('k'), list(['1', '2']), got('1', 'k'), got('2', 'k')],
    ],
    ['a listing that names one message twice', 'twice', [send('k', '1'), list(['1', '1'])]],
    [
      'a refused message that is there',
      'from-nowhere',
      [{ kind: 'send', key: 'k', to: 'B', digest: 'bytes of k', outcome: 'refused' }, list(['1']), got('1', 'k')],
    ],
    ['a message nobody sent', 'from-nowhere', [list(['1']), got('1', 'k')]],
    ['a later message in front of an earlier one', 'out-of-order', [send('k', '1'), send('l', '2'), list(['2', '1'])]],
    [
      'a newcomer in front of what was listed',
      'out-of-order',
      [unknownSend('k'), unknownSend('l'), list(['2']), list(['1', '2'])],
    ],
    ['two messages that changed places', 'out-of-order', [list(['1', '2']), list(['2', '1'])]],
    ['an acknowledgement refused to the reader', 'acknowledgement', [send('k', '1'), acknowledge('1', 'refused')]],
    [
      'a message tracked as acknowledged by nobody',
      'acknowledgement',
      [send('k', '1'), { kind: 'track', id: '1', status: 'acknowledged' }],
    ],
  ];
  it.each(accused)('%s', (_title, kind, observed) => {
    expect(kindsOf(oneByOne(...observed))).toEqual([kind]);
  });
});

describe('the history checker accepts', () => {
  const accepted: readonly [string, readonly Observed[]][] = [
    ['a whole life', [send('k', '1'), list(['1']), got('1', 'k'), acknowledge('1'), list([])]],
    ['an unknown send that happened', [unknownSend('k'), list(['1']), got('1', 'k'), acknowledge('1'), list([])]],
    ['an unknown send that did not happen', [unknownSend('k'), list([])]],
    ['an unknown acknowledgement that happened', [send('k', '1'), acknowledge('1', 'unknown'), list([])]],
    ['an unknown acknowledgement that did not happen', [send('k', '1'), acknowledge('1', 'unknown'), list(['1'])]],
    ['the same acknowledgement twice', [send('k', '1'), acknowledge('1', 'unknown'), acknowledge('1'), list([])]],
    ['a refusal of what belongs to someone else', [send('k', '1'), acknowledge('1', 'refused', 'C'), list(['1'])]],
  ];
  it.each(accepted)('%s', (_title, observed) => {
    expect(violationsOf(oneByOne(...observed))).toEqual([]);
  });

  it('any order of operations that ran side by side', () => {
    const recorder = new HistoryRecorder();
    const [first, second, listing, acknowledging] = [0, 1, 2, 3].map(() => recorder.begin());
    recorder.end(second ?? 0, send('l', '2'));
    recorder.end(first ?? 0, send('k', '1'));
    recorder.end(acknowledging ?? 0, acknowledge('1'));
    recorder.end(listing ?? 0, list(['2', '1']));
    expect(violationsOf(recorder.events)).toEqual([]);
  });
});

/** What a client asks for, and what chance makes of it. */
const stepOf = fc.record({
  action: fc.constantFrom('send', 'send', 'list', 'read', 'acknowledge'),
  mailbox: fc.constantFrom('B', 'C'),
  /** Is the answer lost, and did the operation happen all the same? */
  answerLost: fc.boolean(),
  happened: fc.boolean(),
});
type Step = typeof stepOf extends fc.Arbitrary<infer Each> ? Each : never;

/** A perfect exchange: what its clients see is by definition without fault. */
function perfectHistory(steps: readonly Step[]): readonly ClientEvent[] {
  const inboxes = new Map<string, { id: string; key: string }[]>([
    ['B', []],
    ['C', []],
  ]);
  const observed: Observed[] = [];
  let made = 0;
  for (const { action, mailbox, answerLost, happened } of steps) {
    const inbox = inboxes.get(mailbox) ?? [];
    const first = inbox[0];
    if (action === 'send') {
      made += 1;
      const [key, id] = [`k${made}`, `m${made}`];
      if (!answerLost || happened) inbox.push({ id, key });
      observed.push(answerLost ? unknownSend(key, mailbox) : send(key, id, mailbox));
    } else if (action === 'list')
      observed.push(
        list(
          inbox.map((each) => each.id),
          mailbox,
        ),
      );
    else if (first === undefined) continue;
    else if (action === 'read') observed.push(got(first.id, first.key, mailbox));
    else {
      if (!answerLost || happened) inbox.shift();
      observed.push(acknowledge(first.id, answerLost ? 'unknown' : 'accepted', mailbox));
    }
  }
  for (const [mailbox, inbox] of inboxes) {
    observed.push(
      list(
        inbox.map((each) => each.id),
        mailbox,
      ),
    );
    for (const { id, key } of inbox) observed.push(got(id, key, mailbox));
  }
  return oneByOne(...observed);
}

type Fault = (events: readonly ClientEvent[]) => readonly ClientEvent[] | undefined;

/** Applies a change to the last event that fits; undefined when none does. */
function spoilLast(change: (event: ClientEvent, events: readonly ClientEvent[]) => ClientEvent | undefined): Fault {
  return (events) => {
    for (let at = events.length - 1; at >= 0; at -= 1) {
      const event = events[at];
      const spoilt = event === undefined ? undefined : change(event, events);
      if (spoilt !== undefined) return [...events.slice(0, at), spoilt, ...events.slice(at + 1)];
    }
    return undefined;
  };
}

function acceptedIds(events: readonly ClientEvent[]): ReadonlySet<string> {
  return new Set(events.flatMap((each) => (each.kind === 'send' && each.id !== undefined ? [each.id] : [])));
}

const faults: readonly [ViolationKind, Fault][] = [
  [
    'lost',
    spoilLast((event, events) => {
      if (event.kind !== 'list') return undefined;
      const touched = new Set(events.flatMap((each) => (each.kind === 'acknowledge' ? [each.id] : [])));
      const victim = event.ids.find((id) => acceptedIds(events).has(id) && !touched.has(id));
      return victim === undefined ? undefined : { ...event, ids: event.ids.filter((id) => id !== victim) };
    }),
  ],
  [
    'bytes-differ',
    spoilLast((event) => (event.kind === 'download' ? { ...event, digest: 'bytes of another' } : undefined)),
  ],
  [
    'wrong-mailbox',
    spoilLast((event) =>
      event.kind === 'download' ? { ...event, mailbox: event.mailbox === 'B' ? 'C' : 'B' } : undefined,
    ),
  ],
  [
    'came-back',
    (events) => {
      const done = events.find((each) => each.kind === 'acknowledge' && each.outcome === 'accepted');
      if (done?.kind !== 'acknowledge') return undefined;
      return [...events, { ...list([done.id], done.mailbox), began: 10_000, ended: 10_001 }];
    },
  ],
  [
    'twice',
    (events) => {
      const read = events.find((each) => each.kind === 'download');
      if (read?.kind !== 'download') return undefined;
      return [...events, { ...read, id: 'another', began: 10_000, ended: 10_001 }];
    },
  ],
  [
    'out-of-order',
    spoilLast((event, events) => {
      if (event.kind !== 'list') return undefined;
      const known = event.ids.filter((id) => acceptedIds(events).has(id));
      return known.length < 2 ? undefined : { ...event, ids: [...event.ids].reverse() };
    }),
  ],
];

describe('the history checker, on histories of chance,', () => {
  const steps = fc.array(stepOf, { minLength: 20, maxLength: 60 });

  it('accuses no perfect exchange', () => {
    fc.assert(
      fc.property(steps, (each) => {
        expect(violationsOf(perfectHistory(each))).toEqual([]);
      }),
    );
  });

  it.each(faults)('finds one fault of the kind %s in an otherwise perfect history', (kind, fault) => {
    fc.assert(
      fc.property(steps, (each) => {
        const spoilt = fault(perfectHistory(each));
        fc.pre(spoilt !== undefined);
        expect(violationsOf(spoilt).map((violation) => violation.kind)).toContain(kind);
      }),
    );
  });
});
