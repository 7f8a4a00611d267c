import { type Arbitrary, type AsyncCommand, constant, constantFrom, integer, nat, tuple } from 'fast-check';
import { expect } from 'vitest';
import { jsonOf, listedIdsOf, type MeshClient, sentIdOf } from '../../kit/mesh-client.ts';
import type { ExchangeInProcess } from '../../kit/running-exchange.ts';
import type { MailboxModel, ModelEntry, ModelMessage } from './mailbox-model.ts';

/** The running server under test; a command asks for a new client each time, since a restart ends the old ones. */
export class RealMailboxes {
  readonly exchange: ExchangeInProcess;
  readonly #clients = new Map<string, MeshClient>();
  constructor(exchange: ExchangeInProcess) {
    this.exchange = exchange;
  }
  client(mailbox: string): MeshClient {
    const known = this.#clients.get(mailbox) ?? this.exchange.client(mailbox);
    this.#clients.set(mailbox, known);
    return known;
  }
  async restart(): Promise<void> {
    this.#clients.clear();
    await this.exchange.restart();
  }
}

export type LifeCommand = AsyncCommand<MailboxModel, RealMailboxes>;

/** Sizes on both sides of the inline limit of the scenario. */
const sizes = [1, 1000, 1001, 5000];
const hoursAStep = 25;
let made = 0;

const bytesOf = (size: number): Buffer => {
  made += 1;
  return Buffer.alloc(size, `${made};`);
};

function command(
  name: string,
  run: (model: MailboxModel, real: RealMailboxes) => Promise<void>,
  check: (model: MailboxModel) => boolean = () => true,
): LifeCommand {
  return { check, run, toString: () => name };
}

function picked<Value>(from: readonly Value[], at: number): Value {
  const value = from[at % from.length];
  if (value === undefined) throw new RangeError('there is nothing to pick from');
  return value;
}

const hasMessages = ({ messages }: MailboxModel): boolean => messages.length > 0;
const hasEnded = ({ state }: ModelMessage): boolean => state !== 'uploading';
const isUploading = ({ state }: ModelMessage): boolean => state === 'uploading';

function send(from: number, to: number, size: number, chunks: number): LifeCommand {
  return command(`send(${from}→${to}, ${size} B, ${chunks} chunks)`, async (model, real) => {
    const [sender, recipient] = [picked(model.mailboxes, from), picked(model.mailboxes, to)];
    const body = bytesOf(size);
    const target = { to: recipient, workflowId: 'WF', chunkRange: `1:${chunks}` };
    const reply = await real.client(sender).send(target, body);
    expect(reply.status).toBe(202);
    const id = sentIdOf(reply);
    expect(model.messages.map((each) => each.id)).not.toContain(id);
    model.sent(id, sender, recipient, body, chunks);
  });
}

function sendChunk(pick: number, chunk: number, size: number): LifeCommand {
  const run = async (model: MailboxModel, real: RealMailboxes): Promise<void> => {
    const message = picked(model.messages.filter(isUploading), pick);
    const total = message.chunks.length;
    const number = (chunk % total) + 1;
    const body = bytesOf(size);
    expect((await real.client(message.from).sendChunk(message.id, number, total, body)).status).toBe(202);
    model.stored(message, number, body);
  };
  return command(`chunk(${pick}, ${chunk}, ${size} B)`, run, ({ messages }) => messages.some(isUploading));
}

function lateChunk(pick: number): LifeCommand {
  const run = async (model: MailboxModel, real: RealMailboxes): Promise<void> => {
    const message = picked(model.messages.filter(hasEnded), pick);
    const reply = await real.client(message.from).sendChunk(message.id, 1, message.chunks.length, bytesOf(3));
    expect(reply.status).toBe(model.isHidden(message) ? 404 : 423);
  };
  return command(`late chunk(${pick})`, run, ({ messages }) => messages.some(hasEnded));
}

function list(who: number): LifeCommand {
  return command(`list(${who})`, (model, real) => expectInbox(model, real, picked(model.mailboxes, who)));
}

/** Holds an inbox to the model: these, in this order, and so many. Reports made in one step may come in any order. */
export async function expectInbox(model: MailboxModel, real: RealMailboxes, mailbox: string): Promise<void> {
  const client = real.client(mailbox);
  const listed = await client.list();
  const ids = listedIdsOf(listed);
  const entries = model.inbox(mailbox);
  expect(ids).toHaveLength(entries.length);
  expect(jsonOf(listed)).toMatchObject({ approx_inbox_count: entries.length });
  expect(jsonOf(await client.count())).toEqual({ count: entries.length });
  for (const [at, id] of ids.entries()) await learnReport(client, entries, at, id);
  expect(ids).toEqual(entries.map((entry) => entry.id));
}

async function learnReport(client: MeshClient, entries: ModelEntry[], at: number, id: string): Promise<void> {
  const expected = entries[at];
  if (expected === undefined || expected.id !== undefined) return;
  const { headers } = await client.download(id);
  expect(headers['mex-messagetype']).toBe('REPORT');
  const about = headers['mex-linkedmsgid'];
  const meant = entries.findIndex(
    (each) => each.id === undefined && each.about === about && each.sinceHours === expected.sinceHours,
  );
  expect(meant).toBeGreaterThanOrEqual(at);
  const [entry] = entries.splice(meant, 1);
  if (entry !== undefined) entries.splice(at, 0, { ...entry, id });
}

function download(pick: number, who: number): LifeCommand {
  const run = async (model: MailboxModel, real: RealMailboxes): Promise<void> => {
    const message = picked(model.messages, pick);
    const mailbox = picked(model.mailboxes, who);
    for (const [at, chunk] of message.chunks.entries()) {
      const reply = await real.client(mailbox).downloadChunk(message.id, at + 1);
      if (model.isHidden(message)) expect(reply.status).toBe(404);
      else if (mailbox !== message.to) expect(reply.status).toBe(403);
      else if (message.state !== 'accepted') expect(reply.status).toBe(410);
      else {
        expect(reply.status).toBe(at + 1 < message.chunks.length ? 206 : 200);
        expect(chunk?.equals(reply.body)).toBe(true);
      }
    }
  };
  return command(`download(${pick} by ${who})`, run, hasMessages);
}

function acknowledge(pick: number, who: number): LifeCommand {
  const run = async (model: MailboxModel, real: RealMailboxes): Promise<void> => {
    const mailbox = picked(model.mailboxes, who);
    const message = picked(model.messages, pick);
    const reply = await real.client(mailbox).acknowledge(message.id);
    if (mailbox !== message.to) expect(reply.status).toBe(403);
    else {
      expect(reply.status).toBe(200);
      model.acknowledged(mailbox, message.id);
    }
  };
  return command(`acknowledge(${pick} by ${who})`, run, hasMessages);
}

function acknowledgeReports(who: number): LifeCommand {
  return command(`acknowledge reports(${who})`, async (model, real) => {
    const mailbox = picked(model.mailboxes, who);
    await expectInbox(model, real, mailbox);
    const reports = model.inbox(mailbox).filter(({ about }) => about !== undefined);
    for (const { id = '' } of reports) {
      expect((await real.client(mailbox).acknowledge(id)).status).toBe(200);
      model.acknowledged(mailbox, id);
    }
  });
}

function track(pick: number, who: number): LifeCommand {
  const run = async (model: MailboxModel, real: RealMailboxes): Promise<void> => {
    const message = picked(model.messages, pick);
    const mailbox = picked(model.mailboxes, who);
    const reply = await real.client(mailbox).track(message.id);
    if (mailbox !== message.from || model.isHidden(message)) expect(reply.status).toBe(404);
    else expect(jsonOf(reply)).toMatchObject({ status: message.state, recipient: message.to });
  };
  return command(`track(${pick} by ${who})`, run, hasMessages);
}

function pass(steps: number): LifeCommand {
  return command(`pass(${steps * hoursAStep} h)`, async (model, real) => {
    real.exchange.clock.advance(steps * hoursAStep * 3_600_000);
    await real.exchange.runDueWork();
    model.pass(steps * hoursAStep);
  });
}

const restart = (): LifeCommand => command('restart', (_model, real) => real.restart());

const any = nat(1000);
const size = constantFrom(...sizes);

/** Every move a mailbox's life knows, the frequent ones more often. */
export const lifeCommands: Arbitrary<LifeCommand>[] = [
  tuple(any, any, size, constantFrom(1, 1, 2, 3)).map((parts) => send(...parts)),
  tuple(any, any, size, constant(1)).map((parts) => send(...parts)),
  tuple(any, any, size).map((parts) => sendChunk(...parts)),
  tuple(any, any, size).map((parts) => sendChunk(...parts)),
  any.map(lateChunk),
  any.map(list),
  tuple(any, any).map((parts) => download(...parts)),
  tuple(any, any).map((parts) => acknowledge(...parts)),
  any.map(acknowledgeReports),
  tuple(any, any).map((parts) => track(...parts)),
  integer({ min: 1, max: 6 }).map(pass),
  constant(undefined).map(restart),
];
