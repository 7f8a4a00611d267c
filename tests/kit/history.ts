/** When an operation began and when its outcome was known: ticks of one counter, so that "before" means before. */
export interface Span {
  readonly began: number;
  readonly ended: number;
}

/**
 * What one client did or saw. `key` names one attempt to send (one POST of a whole message, or one chunked upload), is
 * carried as its local id, and is never used again: whoever tries again after an unknown outcome takes a new key.
 */
export type ClientEvent = Span &
  (
    | {
        readonly kind: 'send';
        readonly key: string;
        readonly to: string;
        /** Digest of the bytes with their chunk boundaries. */
        readonly digest: string;
        /**
         * 'unknown': no answer to the request that would have completed it. 'forgotten': chunks of it were answered
         * with 202, and later the upload was not known.
         */
        readonly outcome: 'accepted' | 'unknown' | 'refused' | 'forgotten';
        /** Known once any chunk was answered. */
        readonly id?: string;
      }
    /** A whole listing, all pages in order. */
    | { readonly kind: 'list'; readonly mailbox: string; readonly ids: readonly string[] }
    | {
        readonly kind: 'download';
        readonly mailbox: string;
        readonly id: string;
        readonly outcome: 'got' | 'gone' | 'forbidden';
        /** With 'got'. */
        readonly key?: string;
        readonly digest?: string;
      }
    | {
        readonly kind: 'acknowledge';
        readonly mailbox: string;
        readonly id: string;
        readonly outcome: 'accepted' | 'unknown' | 'refused';
      }
    /** What the sender is told; 'none' when the id is not known. */
    | { readonly kind: 'track'; readonly id: string; readonly status: string }
  );

type EventOf<Kind extends ClientEvent['kind']> = ClientEvent & { readonly kind: Kind };
type Send = EventOf<'send'>;
/** With the ids as a set, for a long history asks often whether an id was there. */
type List = EventOf<'list'> & { readonly idSet: ReadonlySet<string> };
type Download = EventOf<'download'>;
type Acknowledge = EventOf<'acknowledge'>;

export type ViolationKind =
  /** An accepted message that nobody acknowledged, or an accepted chunk, is not there. */
  | 'lost'
  | 'bytes-differ'
  /** In a mailbox it was not sent to. */
  | 'wrong-mailbox'
  /** Acknowledged, or once gone, and there again. */
  | 'came-back'
  /** One attempt, two messages. */
  | 'twice'
  /** A message that was refused, or that nobody sent. */
  | 'from-nowhere'
  /** A message took a place before one that was there earlier. */
  | 'out-of-order'
  /** Acknowledged though nobody began to acknowledge it, or the acknowledgement of its reader was refused. */
  | 'acknowledgement';

export interface Violation {
  readonly kind: ViolationKind;
  /** Ids and keys, made by the test; no content. */
  readonly detail: string;
}

interface Index {
  readonly sends: ReadonlyMap<string, Send>;
  readonly accepted: ReadonlyMap<string, Send>;
  /** Key of each message that was downloaded, by id. */
  readonly keys: ReadonlyMap<string, string>;
  readonly acknowledgements: ReadonlyMap<string, readonly Acknowledge[]>;
  readonly lists: ReadonlyMap<string, readonly List[]>;
  /** Messages that someone was told of, by id. */
  readonly certain: ReadonlyMap<string, Certain>;
}

/** From `since` on nobody may find the message missing: its sender was answered, or a reader saw it. */
interface Certain {
  readonly mailbox: string;
  readonly since: number;
}

/**
 * Judges what clients did and saw against the promises: accepted is kept byte for byte, for nobody else, once, in
 * order, and acknowledged stays acknowledged. An unknown outcome may have happened or not. Downloads of acknowledged
 * messages are judged as the live profile answers them (410). Returns [] when nothing is wrong.
 */
export function violationsOf(events: readonly ClientEvent[]): readonly Violation[] {
  const index = indexOf(events);
  return [
    ...events.flatMap((event) => [...judge(event, index)]),
    ...twice(events, index),
    ...[...index.lists.values()].flatMap((lists) => [...listingOrder(lists, index)]),
    ...[...index.certain].flatMap(([id, message]) => [...presence(id, message, index)]),
  ];
}

function* judge(event: ClientEvent, index: Index): Generator<Violation> {
  switch (event.kind) {
    case 'send':
      if (event.outcome === 'forgotten') yield { kind: 'lost', detail: `chunks of ${event.id} of ${event.key}` };
      return;
    case 'list':
      for (const id of event.ids) yield* misplaced(id, event.mailbox, index);
      return;
    case 'download':
      return yield* judgeDownload(event, index);
    case 'acknowledge':
      if (event.outcome === 'refused' && index.accepted.get(event.id)?.to === event.mailbox) {
        yield { kind: 'acknowledgement', detail: `${event.id} was refused to its reader` };
      }
      return;
    case 'track':
      return yield* judgeTracking(event, index);
  }
}

function* judgeDownload(download: Download, index: Index): Generator<Violation> {
  const { id, mailbox, key, digest } = download;
  if (download.outcome === 'got') {
    yield* misplaced(id, mailbox, index);
    const send = key === undefined ? undefined : index.sends.get(key);
    if (send === undefined) yield { kind: 'from-nowhere', detail: `${id}: nobody sent ${key}` };
    else if (send.outcome === 'refused') yield { kind: 'from-nowhere', detail: `${id}: ${key} was refused` };
    else if (send.digest !== digest) yield { kind: 'bytes-differ', detail: `${id} of ${key}` };
    if (answeredBefore(index, id, download.began)) {
      yield { kind: 'came-back', detail: `${id} was downloaded after its acknowledgement` };
    }
    return;
  }
  const send = index.accepted.get(id);
  if (send?.to === mailbox && send.ended < download.began && !begunBefore(index, id, download.ended)) {
    yield { kind: 'lost', detail: `${id} could not be downloaded (${download.outcome})` };
  }
}

function* judgeTracking(track: EventOf<'track'>, index: Index): Generator<Violation> {
  const { id, status } = track;
  const send = index.accepted.get(id);
  if (send === undefined || send.ended >= track.began) return;
  if (status === 'acknowledged') {
    if (!begunBefore(index, id, track.ended)) {
      yield { kind: 'acknowledgement', detail: `${id} is tracked as acknowledged and nobody did` };
    }
  } else if (status !== 'accepted') {
    yield { kind: 'lost', detail: `${id} is tracked as ${status}` };
  } else if (answeredBefore(index, id, track.began)) {
    yield { kind: 'came-back', detail: `${id} is tracked as accepted after its acknowledgement` };
  }
}

function* misplaced(id: string, mailbox: string, index: Index): Generator<Violation> {
  const send = sendOf(id, index);
  if (send !== undefined && send.to !== mailbox) {
    yield { kind: 'wrong-mailbox', detail: `${id} for ${send.to} was in ${mailbox}` };
  }
}

/** Each attempt gave at most one message, the one its sender was told of, and no two attempts gave the same. */
function* twice(events: readonly ClientEvent[], index: Index): Generator<Violation> {
  const ids = new Map<string, Set<string>>();
  for (const [key, send] of index.sends) {
    if (send.id === undefined) continue;
    ids.set(key, new Set([send.id]));
    const other = index.accepted.get(send.id);
    if (other !== undefined && other !== send)
      yield { kind: 'lost', detail: `${key} and ${other.key} were told one id` };
  }
  for (const event of events) {
    if (event.kind !== 'download' || event.outcome !== 'got' || event.key === undefined) continue;
    ids.set(event.key, (ids.get(event.key) ?? new Set()).add(event.id));
  }
  for (const [key, found] of ids)
    if (found.size > 1) yield { kind: 'twice', detail: `${key}: ${[...found].join(', ')}` };
  for (const event of events) {
    if (event.kind === 'list' && new Set(event.ids).size < event.ids.length) {
      yield { kind: 'twice', detail: `a listing of ${event.mailbox} names a message twice` };
    }
  }
}

/** Whatever is new in a listing stands after all that an earlier listing showed, and follows the order of sending. */
function* listingOrder(lists: readonly List[], index: Index): Generator<Violation> {
  for (const list of lists) {
    let latest: Send | undefined;
    for (const id of list.ids) {
      const send = sendOf(id, index);
      if (send === undefined) continue;
      // An unknown outcome may have come true long after its client gave up.
      if (latest !== undefined && send.outcome !== 'unknown' && send.ended < latest.began) {
        yield { kind: 'out-of-order', detail: `${id} stands after a message sent later, in ${list.mailbox}` };
      }
      if (latest === undefined || send.began > latest.began) latest = send;
    }
    const earlier = lists.findLast((each) => each.ended < list.began);
    if (earlier === undefined) continue;
    const places = new Map(earlier.ids.map((id, place) => [id, place]));
    let newcomer: string | undefined;
    let last = -1;
    for (const id of list.ids) {
      const place = places.get(id);
      if (place === undefined) newcomer ??= id;
      else if (newcomer !== undefined || place < last) {
        yield { kind: 'out-of-order', detail: `${newcomer ?? id} moved in front of ${id}, in ${list.mailbox}` };
        break;
      } else last = place;
    }
  }
}

/** A message that is certain is in every listing that begins later, until someone begins to acknowledge it. */
function* presence(id: string, message: Certain, index: Index): Generator<Violation> {
  let goneSince: number | undefined;
  for (const list of index.lists.get(message.mailbox) ?? []) {
    if (list.idSet.has(id)) {
      if ((goneSince !== undefined && goneSince < list.began) || answeredBefore(index, id, list.began)) {
        yield { kind: 'came-back', detail: `${id} is listed again in ${message.mailbox}` };
        return;
      }
    } else if (list.began > message.since) {
      if (!begunBefore(index, id, list.ended)) {
        yield { kind: 'lost', detail: `${id} is not listed in ${message.mailbox}` };
        return;
      }
      goneSince = Math.min(goneSince ?? Infinity, list.ended);
    }
  }
}

function certainOf(events: readonly ClientEvent[]): ReadonlyMap<string, Certain> {
  const certain = new Map<string, Certain>();
  function learn(id: string, mailbox: string, since: number): void {
    const known = certain.get(id);
    if (known === undefined || since < known.since) certain.set(id, { mailbox: known?.mailbox ?? mailbox, since });
  }
  // The sender's word on the mailbox comes first: a message found elsewhere is lost where it belongs.
  for (const event of events) {
    if (event.kind === 'send' && event.outcome === 'accepted') learn(event.id ?? '', event.to, event.ended);
  }
  for (const event of events) {
    if (event.kind === 'list') for (const id of event.ids) learn(id, event.mailbox, event.ended);
    else if (event.kind === 'download' && event.outcome === 'got') learn(event.id, event.mailbox, event.ended);
    else if (event.kind === 'acknowledge' && event.outcome === 'accepted') learn(event.id, event.mailbox, event.ended);
  }
  return certain;
}

function indexOf(events: readonly ClientEvent[]): Index {
  const sends = new Map<string, Send>();
  const accepted = new Map<string, Send>();
  const keys = new Map<string, string>();
  const acknowledgements = new Map<string, Acknowledge[]>();
  const lists = new Map<string, List[]>();
  for (const event of events) {
    if (event.kind === 'send') {
      if (sends.has(event.key)) throw new Error(`the history uses a key for two attempts: ${event.key}`);
      sends.set(event.key, event);
      if (event.outcome === 'accepted') {
        if (event.id === undefined) throw new Error(`the history has an accepted send without an id: ${event.key}`);
        accepted.set(event.id, event);
      }
    } else if (event.kind === 'download' && event.key !== undefined) keys.set(event.id, event.key);
    else if (event.kind === 'acknowledge') pushTo(acknowledgements, event.id, event);
    else if (event.kind === 'list') pushTo(lists, event.mailbox, { ...event, idSet: new Set(event.ids) });
  }
  for (const each of lists.values()) each.sort((one, other) => one.ended - other.ended);
  return { sends, accepted, keys, acknowledgements, lists, certain: certainOf(events) };
}

function pushTo<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function sendOf(id: string, index: Index): Send | undefined {
  const key = index.keys.get(id);
  return index.accepted.get(id) ?? (key === undefined ? undefined : index.sends.get(key));
}

function answeredBefore(index: Index, id: string, moment: number): boolean {
  return (index.acknowledgements.get(id) ?? []).some((each) => each.outcome === 'accepted' && each.ended < moment);
}

function begunBefore(index: Index, id: string, moment: number): boolean {
  return (index.acknowledgements.get(id) ?? []).some((each) => each.outcome !== 'refused' && each.began < moment);
}
