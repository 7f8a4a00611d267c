import { setTimeout as pause } from 'node:timers/promises';
import type { MailboxId } from '@openmesh/protocol';
import type { Reply } from '../api/machines/request.ts';
import type { BodyBlock } from '../store/bodies.ts';
import type { Operation } from './operation.ts';

export const faultKinds = ['status', 'delay', 'lost-answer', 'corrupt-chunk', 'duplicate'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What shall go wrong, for whom, and how often. */
export interface FaultRule {
  readonly kind: FaultKind;
  /** undefined: for every mailbox. */
  readonly mailbox?: MailboxId | undefined;
  /** undefined: for every operation the kind makes sense for. */
  readonly operation?: Operation | undefined;
  /** Of kind 'status'. */
  readonly status?: number | undefined;
  /** Of kind 'delay'. */
  readonly delayMs?: number | undefined;
  /** undefined: every time. */
  readonly times?: number | undefined;
  /** 0 to 1; the dice are thrown from `seed`, so that a run can be repeated. */
  readonly probability: number;
  readonly seed: number;
}

export interface ScriptedFault extends FaultRule {
  readonly faultId: number;
  /** How often it has happened. */
  readonly happened: number;
}

/** Who asks, and for what. */
export interface FaultSubject {
  readonly operation: Operation;
  readonly mailbox: MailboxId | undefined;
}

/** Faults by script, for those who test their client. */
export interface FaultScript {
  add(rules: readonly FaultRule[]): void;
  list(): readonly ScriptedFault[];
  /** Forgets the script and ends delays under way. */
  clear(): void;
  /** Waits as the script says; resolves to the status to answer instead of doing the work. */
  before(subject: FaultSubject): Promise<number | undefined>;
  /** The answer as it shall leave, or 'lost': the work is done and nobody is told. */
  after(subject: FaultSubject, reply: Reply): Reply | 'lost';
  /** Whether an accepted message is to be delivered twice. */
  duplicates(subject: FaultSubject): boolean;
}

export const faultsMax = 1000;
export const delayMsMax = 600_000;

/** The operations a kind makes sense for; undefined: all but administration. */
export const operationsOfKind: Readonly<Record<FaultKind, readonly Operation[] | undefined>> = {
  status: undefined,
  delay: undefined,
  'lost-answer': undefined,
  'corrupt-chunk': ['download-message', 'download-chunk'],
  duplicate: ['send-message', 'send-chunk'],
};

/** A script that could hit its own administration could not be ended. */
const exempt: ReadonlySet<Operation> = new Set(['admin', 'mailbox-details', 'unmatched']);

interface Entry {
  readonly rule: FaultRule;
  readonly faultId: number;
  readonly random: () => number;
  happened: number;
}

export function createFaultScript(): FaultScript {
  let entries: Entry[] = [];
  let faultsAdded = 0;
  let delays = new AbortController();

  const fires = (kind: FaultKind, { operation, mailbox }: FaultSubject): Entry | undefined => {
    if (entries.length === 0 || exempt.has(operation)) return undefined;
    if (operationsOfKind[kind]?.includes(operation) === false) return undefined;
    for (const entry of entries) {
      const { rule } = entry;
      if (rule.kind !== kind || (rule.mailbox !== undefined && rule.mailbox !== mailbox)) continue;
      if (rule.operation !== undefined && rule.operation !== operation) continue;
      if (rule.times !== undefined && entry.happened >= rule.times) continue;
      if (rule.probability < 1 && entry.random() >= rule.probability) continue;
      entry.happened += 1;
      return entry;
    }
    return undefined;
  };

  return {
    add(rules) {
      for (const rule of rules) {
        faultsAdded += 1;
        entries.push({ rule, faultId: faultsAdded, random: seeded(rule.seed), happened: 0 });
      }
    },
    list: () => entries.map(({ rule, faultId, happened }) => ({ ...rule, faultId, happened })),
    clear() {
      entries = [];
      delays.abort();
      delays = new AbortController();
    },
    async before(subject) {
      const delay = fires('delay', subject);
      if (delay !== undefined) await pauseUntil(delay.rule.delayMs ?? 0, delays.signal);
      return fires('status', subject)?.rule.status;
    },
    after(subject, reply) {
      if (fires('lost-answer', subject) !== undefined) return 'lost';
      if (reply.status >= 300 || isEmpty(reply)) return reply;
      const corrupt = fires('corrupt-chunk', subject);
      return corrupt === undefined ? reply : corrupted(reply, corrupt.random);
    },
    duplicates: (subject) => fires('duplicate', subject) !== undefined,
  };
}

async function pauseUntil(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}

function isEmpty(reply: Reply): boolean {
  return reply.kind === 'plain' ? reply.body.length === 0 : reply.kind === 'blocks' && reply.lengthBytes === 0;
}

/** The same answer with one byte of its first piece changed; the length stays. */
function corrupted(reply: Reply, random: () => number): Reply {
  const flip = (bytes: Uint8Array): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    const at = Math.floor(random() * copy.length);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    return copy;
  };
  switch (reply.kind) {
    case 'plain':
      return { ...reply, body: flip(Buffer.from(reply.body)) };
    case 'blocks':
      return { ...reply, blocks: changeFirst(reply.blocks, (block) => flippedBlock(block, flip)) };
    case 'stream':
      return { ...reply, pieces: changeFirst(reply.pieces, flip) };
  }
}

function flippedBlock(block: BodyBlock, flip: (bytes: Uint8Array) => Uint8Array): BodyBlock {
  return { bytes: flip(block.bytes), release: () => block.release() };
}

async function* changeFirst<T>(items: AsyncIterable<T>, change: (item: T) => T): AsyncGenerator<T> {
  let first = true;
  for await (const item of items) {
    yield first ? change(item) : item;
    first = false;
  }
}

/** Numbers from 0 to 1 that depend on nothing but the seed (splitmix32). */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 4_294_967_296;
  };
}
