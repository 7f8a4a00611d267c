import type { MailboxId, MessageId } from '@openmesh/protocol';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import type { Ledger } from '../ledger.ts';
import {
  acceptOf,
  acknowledgeOf,
  addChunkOf,
  alice,
  beginUpload,
  bob,
  bornAtMs,
  carol,
  changeOf,
  dayMs,
  deliver,
  durableChunk,
  idOf,
  newMessage,
  pageOf,
} from '../ledger-probe.ts';
import type { StoredState } from './message-records.ts';

const runs = 12;
const commandsMax = 60;
const uploadChunks = 3;
const boxes = [bob, carol] as const;

interface ModelMessage {
  readonly id: MessageId;
  readonly mailbox: MailboxId;
  state: StoredState;
  readonly chunks: Set<number>;
}

/** What the mailboxes should hold, in the order of commit. */
class Model {
  readonly messages: ModelMessage[] = [];
  readonly waiting = new Map<MailboxId, MessageId[]>(boxes.map((box) => [box, []]));
  /** The highest position ever seen in a mailbox, and the mailboxes that were sent something since it was looked at. */
  readonly highest = new Map<MailboxId, number>();
  readonly entered = new Set<MailboxId>();

  add(mailbox: MailboxId, state: StoredState): ModelMessage {
    const message = { id: idOf(this.messages.length + 1), mailbox, state, chunks: new Set([1]) };
    this.messages.push(message);
    if (state === 'accepted') this.enter(message);
    return message;
  }
  enter({ id, mailbox }: ModelMessage): void {
    this.waiting.get(mailbox)?.push(id);
    this.entered.add(mailbox);
  }
  leave({ id, mailbox }: ModelMessage): void {
    const left = this.waiting.get(mailbox)?.filter((each) => each !== id);
    this.waiting.set(mailbox, left ?? []);
  }
}

/** The ledger under test: opened anew when a command says so. */
interface Real {
  ledger: Ledger;
  reopen(): Promise<Ledger>;
}

type Command = fc.AsyncCommand<Model, Real>;

function command(name: string, apply: (model: Model, real: Real) => Promise<void>, messagesMin = 0): Command {
  return {
    check: (model) => model.messages.length >= messagesMin,
    async run(model, real) {
      await apply(model, real);
      for (const mailbox of model.waiting.keys()) await compare(model, real.ledger, mailbox);
    },
    toString: () => name,
  };
}

/** The same entries in the same order, under positions above all that were ever given; the count is their number. */
async function compare(model: Model, { messages }: Ledger, mailbox: MailboxId): Promise<void> {
  const { entries, waiting } = await messages.inboxPage(pageOf({ mailbox }));
  expect(entries.map(({ messageId }) => messageId)).toEqual(model.waiting.get(mailbox));
  expect(waiting).toBe(entries.length);
  expect(await messages.waitingCount(mailbox)).toBe(entries.length);
  const positions = entries.map(({ position }) => position);
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  const highest = model.highest.get(mailbox) ?? 0;
  const last = positions.at(-1) ?? 0;
  if (model.entered.delete(mailbox)) expect(last).toBeGreaterThan(highest);
  model.highest.set(mailbox, Math.max(highest, last));
}

function pick(model: Model, at: number): ModelMessage {
  const message = model.messages[at % model.messages.length];
  if (message === undefined) throw new RangeError('there is no message');
  return message;
}

const boxOf = (at: number): MailboxId => boxes[at % boxes.length] ?? bob;

const sendMany = (to: readonly number[]): Command =>
  command(`send to ${to.join()} together`, async (model, { ledger }) => {
    const sent = to.map((at) => model.add(boxOf(at), 'accepted'));
    await Promise.all(
      sent.map(({ id, mailbox }) => ledger.messages.accept(acceptOf([newMessage(id, { recipient: mailbox })]))),
    );
  });

const sendAgain = (at: number): Command =>
  command(
    `send ${at} again`,
    async (model, { ledger }) => {
      const { id, mailbox } = pick(model, at);
      await ledger.messages.accept(acceptOf([newMessage(id, { recipient: mailbox })]));
    },
    1,
  );

const upload = (): Command =>
  command('begin an upload', async (model, { ledger }) => {
    model.add(bob, 'uploading');
    await beginUpload(ledger.messages, model.messages.length, uploadChunks);
  });

const addChunk = (at: number, chunkNumber: number): Command =>
  command(
    `chunk ${chunkNumber} of ${at}`,
    async (model, { ledger }) => {
      const message = pick(model, at);
      const answer = await ledger.messages.addChunk(
        addChunkOf(message.id, durableChunk(`${message.id}-${chunkNumber}`, chunkNumber)),
      );
      if (message.state !== 'uploading') {
        expect(answer).toEqual({ kind: 'not-uploading' });
        return;
      }
      message.chunks.add(chunkNumber);
      const complete = message.chunks.size === uploadChunks;
      expect(answer).toMatchObject({ kind: 'stored', complete });
      if (!complete) return;
      message.state = 'accepted';
      model.enter(message);
    },
    1,
  );

const acknowledge = (at: number, as: number): Command =>
  command(
    `acknowledge ${at} as ${boxOf(as)}`,
    async (model, { ledger }) => {
      const message = pick(model, at);
      const mailbox = boxOf(as);
      const answer = await ledger.messages.acknowledge(acknowledgeOf(message.id, { mailbox }));
      const waits = message.state === 'accepted';
      if (mailbox !== message.mailbox) expect(answer).toEqual({ kind: 'forbidden' });
      else expect(answer).toEqual({ kind: waits ? 'acknowledged' : 'unchanged' });
      if (mailbox !== message.mailbox || !waits) return;
      message.state = 'acknowledged';
      model.leave(message);
    },
    1,
  );

const change = (at: number, to: StoredState): Command =>
  command(
    `change ${at} to ${to}`,
    async (model, { ledger }) => {
      const message = pick(model, at);
      const expiresAtMs = to === 'accepted' ? bornAtMs + 5 * dayMs : null;
      const answer = await ledger.messages.changeState(changeOf(message.id, { to, expiresAtMs }));
      expect(answer).toEqual({ kind: 'changed' });
      if (message.state === to) return;
      model.leave(message);
      message.state = to;
      if (to === 'accepted') model.enter(message);
    },
    1,
  );

const expireAll = (): Command =>
  command('expire what is due', async (model, { ledger }) => {
    const due = await ledger.jobs.deliveriesDue({ nowMs: bornAtMs + 9 * dayMs, limit: 2 });
    for (const { messageId } of due) {
      await ledger.messages.changeState(changeOf(messageId, { from: ['accepted'] }));
      const message = model.messages.find(({ id }) => id === messageId);
      if (message === undefined) throw new Error('an unknown message is due');
      expect(message.state).toBe('accepted');
      message.state = 'undeliverable';
      model.leave(message);
    }
  });

const reset = (): Command =>
  command('reset', async (model, { ledger }) => {
    await ledger.messages.reset([alice]);
    for (const box of boxes) model.waiting.set(box, []);
    for (const message of model.messages) message.state = 'error';
    // Ids are never used again: what was forgotten is begun anew as messages that ended.
    for (const [index] of model.messages.entries()) await deliver(ledger.messages, index + 1, forgotten(model, index));
  });

function forgotten(model: Model, index: number) {
  return { recipient: model.messages[index]?.mailbox ?? bob, state: 'error', expiresAtMs: null } as const;
}

const reopen = (): Command =>
  command('reopen', async (_model, real) => {
    real.ledger = await real.reopen();
  });

const anyMessage = fc.nat(1000);
const ordinary = [
  fc.array(fc.nat(1), { minLength: 1, maxLength: 8 }).map(sendMany),
  anyMessage.map(sendAgain),
  fc.constant(upload()),
  fc.tuple(anyMessage, fc.integer({ min: 1, max: uploadChunks })).map(([at, n]) => addChunk(at, n)),
  fc.tuple(anyMessage, fc.nat(1)).map(([at, as]) => acknowledge(at, as)),
  fc
    .tuple(anyMessage, fc.constantFrom<StoredState>('accepted', 'acknowledged', 'undeliverable', 'error'))
    .map(([at, to]) => change(at, to)),
  fc.constant(expireAll()),
];
const rare = [fc.constant(reset()), fc.constant(reopen())];
const commands = [...ordinary, ...ordinary, ...ordinary, ...ordinary, ...rare];

export function promiseLife(at: LedgerSource): void {
  it('holds what a model of the mailboxes holds, whatever is done to them in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: commandsMax, size: 'max' }), async (sequence) => {
        await at.ledger.messages.reset('all');
        const real = { ledger: at.ledger, reopen: () => at.reopen() };
        await fc.asyncModelRun(() => ({ model: new Model(), real }), sequence);
      }),
      { numRuns: runs },
    );
  });
}
