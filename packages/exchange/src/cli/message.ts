import { type MessageId, parseMessageId } from '@openmesh/protocol';
import { SealFault } from '../mailbox/sealer.ts';
import { openTexts, type PrivateTexts } from '../message/private-texts.ts';
import { type Standing, type StandingFacts, standingOf } from '../message/standing.ts';
import type { MessageRecord, TimelineEvent } from '../store/ledger/message-records.ts';
import { traceOf } from '../traces/trace-id.ts';
import {
  type AdminSession,
  hostSurroundings,
  type OpenForAdmin,
  type Surroundings,
  withSession,
} from './admin-session.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';
import { type CommandGroup, CommandRefusal, defineCommand, groupCommands } from './define-command.ts';
import { goodConfig } from './good-config.ts';
import { createMessageLineage } from './lineage.ts';
import { instantText, plain, printJson, printTable } from './print.ts';

type ShownText = string | { readonly length: number };

/** Of a very large upload only so many chunks are looked for. */
const chunksLookedForMax = 1000;

interface Shown {
  readonly standing: Standing;
  readonly message: Omit<MessageRecord, 'sealed'>;
  /** Personal texts: their lengths, or themselves when revealed. Empty when there are none, or none are kept. */
  readonly texts: Readonly<Record<string, ShownText>>;
  readonly textsKept: boolean;
  readonly timeline: readonly TimelineEvent[];
  /** Where traces are made, what happened to the message is under this. */
  readonly traceId: string;
}

function openOrRefuse({ sealer }: AdminSession, messageId: MessageId, sealed: string): PrivateTexts {
  try {
    return openTexts(sealer, messageId, sealed);
  } catch (error) {
    if (!(error instanceof SealFault)) throw error;
    throw new CommandRefusal(exitCodes.failed, `its texts cannot be opened: ${error.message}`);
  }
}

type Waits = Pick<StandingFacts, 'routingMsMax' | 'uploadAbandonedMs'>;

function waitsOf(env: CommandIo['env']): Waits {
  const { services, retention } = goodConfig(env).config;
  return { routingMsMax: services.routingMsMax, uploadAbandonedMs: retention.uploadAbandonedMs };
}

async function missingChunksOf(
  { ledger }: AdminSession,
  { messageId, state, totalChunks }: MessageRecord,
): Promise<readonly number[]> {
  const missing: number[] = [];
  if (state !== 'uploading') return missing;
  for (let number = 1; number <= Math.min(totalChunks, chunksLookedForMax); number += 1) {
    const found = await ledger.messages.findWithChunk(messageId, number);
    if (found?.chunk === null) missing.push(number);
  }
  return missing;
}

/** Until a message is in an inbox its record has the words of one that is; nobody shall read them as said of it. */
function withoutPromise<R extends Pick<MessageRecord, 'state' | 'statusDescription'>>(message: R): R {
  const isUnderWay = message.state === 'uploading' || message.state === 'routing';
  return isUnderWay ? { ...message, statusCode: '', statusEvent: '', statusDescription: '' } : message;
}

async function gather(
  session: AdminSession,
  messageId: MessageId,
  { reveal, world, waits }: { readonly reveal: boolean; readonly world: Surroundings; readonly waits: Waits },
) {
  const { messages, audit } = session.ledger;
  const found = await messages.find(messageId);
  if (found === null) {
    const say = `no message ${messageId}: check the id; records are removed when their retention is over`;
    throw new CommandRefusal(exitCodes.failed, say);
  }
  const { sealed, ...message } = found;
  const texts = Object.entries(openOrRefuse(session, messageId, sealed)).map(([name, text]) => {
    const value = String(text);
    return [name, reveal ? value : { length: value.length }] as const;
  });
  const timeline = await messages.timeline(messageId);
  const missingChunks = await missingChunksOf(session, found);
  if (reveal) {
    // Before anything is shown: what cannot be written down is not revealed.
    const detail = JSON.stringify({ revealed: texts.map(([name]) => name) });
    const who = { atMs: world.now(), actor: world.actor() };
    await audit.append({ ...who, action: 'message.show', subject: messageId, detail });
  }
  const { traceId } = traceOf(messageId);
  return {
    standing: standingOf({ message: found, timeline, missingChunks, ...waits }),
    message: withoutPromise(message),
    texts: Object.fromEntries(texts),
    textsKept: sealed !== '',
    timeline,
    traceId,
  } satisfies Shown;
}

function printShown({ standing, message, texts, timeline, traceId }: Shown, io: CommandIo): void {
  io.stdout(`where: ${plain(standing.where)}\nnext: ${plain(standing.next)}\n\n`);
  for (const [member, value] of Object.entries(message)) {
    const text = member.endsWith('AtMs') ? instantText(value as number | null) : String(value ?? '-');
    io.stdout(`${member.replace(/Ms$/, '')}: ${plain(text)}\n`);
  }
  for (const [name, text] of Object.entries(texts)) {
    io.stdout(
      `${name}: ${typeof text === 'string' ? plain(text) : `(${text.length} characters; --reveal shows them)`}\n`,
    );
  }
  io.stdout(`traceId: ${traceId}\n\n`);
  const rows = timeline.map((event) => [instantText(event.atMs), event.actor, event.kind, event.detail]);
  printTable(io, ['time', 'actor', 'event', 'detail'], rows);
}

/** `message show`: a message's record and timeline; personal texts only when asked for, and then on the audit. */
function createMessageShow(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'message show',
    summary: "show a message's record and timeline",
    about: [
      'Shows where a message is, who has to do what next, its record, and what happened to it. Subject, file name and the',
      'other texts that may be personal are shown by their length only, unless --reveal is given, which is written to the',
      'audit. traceId is where traces of the message are found, if the exchange sends any.',
    ].join('\n'),
    positionals: ['MESSAGE'],
    options: { reveal: { says: 'show the personal texts; appends an audit entry' } },
    exits: {
      failed: 'there is no such message, or its texts cannot be opened',
      badInput: 'not a message id',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ positionals, options, json }, io) {
      const messageId = parseMessageId(positionals[0] ?? '');
      if (messageId === undefined) throw new CommandRefusal(exitCodes.badInput, 'not a message id');
      const reveal = options.reveal !== undefined;
      const waits = waitsOf(io.env);
      const shown = await withSession(open, io, (session) => gather(session, messageId, { reveal, world, waits }));
      if (json) printJson(io, shown);
      else printShown(shown, io);
      return exitCodes.ok;
    },
  });
}

/** `message`: the commands about one message. */
export function createMessageCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): CommandGroup {
  return groupCommands('message', 'look at one message', [createMessageShow(open, world), createMessageLineage(open)]);
}
