import type { CollectionFacts } from '../../ledger/message-records.ts';
import type {
  AcceptCommand,
  AcknowledgeCommand,
  AddChunkCommand,
  ChangeStateCommand,
  NewMessage,
  PageQuery,
} from '../../ledger/messages.ts';
import type { NonceClaim } from '../../ledger/nonces.ts';
import type { ConnectionFacts } from '../../ledger/registry.ts';
import type { ResolveCommand } from '../../ledger/resolving.ts';
import type { WritingCommands } from '../commands/table.ts';

/** What a command is about, told from its arguments before it runs. */
export interface About {
  /** Two commands that name one of the same are never led side by side. */
  readonly keys: readonly string[];
  /** Mailboxes whose inbox it is likely to move. */
  readonly moves: readonly string[];
  /** Changes messages without having read them: they are to be locked before. */
  readonly unread?: true;
  /** The mailbox whose commands share a connection with it. */
  readonly home: string;
}

type Name = keyof WritingCommands;
type ArgsOf<K extends Name> = Parameters<WritingCommands[K]>;

/**
 * Commands of the doors, which run many to a transaction and on several connections. All others run one to a
 * transaction, and one at a time on all nodes of a ledger.
 */
const doorCommands: { readonly [K in Name]?: (...args: ArgsOf<K>) => About } = {
  claim: ({ mailbox }: NonceClaim) => plain(mailbox),
  collectPage: ({ mailbox }: PageQuery) => plain(mailbox),
  collectChunk: (_query, { mailbox }) => plain(mailbox),
  accept: aboutAccepting,
  addChunk: ({ messageId, sender, completion }: AddChunkCommand) =>
    aboutMessage(messageId, sender, madeBy(completion.report, completion.reportCopies, completion.routed?.copies)),
  acknowledge: ({ mailbox, messageId }: AcknowledgeCommand) => ({ keys: [messageId], moves: [mailbox], home: mailbox }),
  changeState: ({ messageId, report, reportCopies }: ChangeStateCommand) =>
    aboutMessage(messageId, '', madeBy(report, reportCopies, undefined)),
  resolveRoute: ({ messageId, messages }: ResolveCommand) => aboutMessage(messageId, '', messages),
  recordCollections: (facts: readonly CollectionFacts[]) => ({
    keys: facts.map(({ messageId }) => messageId),
    moves: [],
    unread: true,
    home: '',
  }),
  addEvent: (messageId: string) => aboutMessage(messageId, '', []),
  recordConnection: ({ mailbox }: ConnectionFacts) => ({ keys: [`connection ${mailbox}`], moves: [], home: mailbox }),
};

/** undefined for a command that runs by itself. */
export function aboutCommand(name: string, args: readonly unknown[]): About | undefined {
  const about = doorCommands[name as Name] as ((...given: readonly unknown[]) => About) | undefined;
  return about?.(...args);
}

function plain(mailbox: string): About {
  return { keys: [], moves: [], home: mailbox };
}

function aboutMessage(messageId: string, home: string, made: readonly NewMessage[]): About {
  return { keys: [messageId, ...made.map((message) => message.messageId)], moves: movedBy(made), home };
}

function aboutAccepting({ payload, messages, idempotency }: AcceptCommand): About {
  const keys: string[] = messages.map(({ messageId }) => messageId);
  if (payload !== null && !keys.includes(payload.payloadId)) keys.push(payload.payloadId);
  if (idempotency !== null) keys.push(`idempotency ${idempotency.mailbox} ${idempotency.key}`);
  const moves = movedBy(messages);
  return { keys, moves, home: moves[0] ?? '' };
}

function movedBy(messages: readonly NewMessage[]): readonly string[] {
  return messages.flatMap(({ recipient, state, expiresAtMs }) =>
    state === 'accepted' && expiresAtMs !== null && recipient !== null ? [recipient] : [],
  );
}

function madeBy(
  report: NewMessage | null,
  reportCopies: readonly NewMessage[] | undefined,
  copies: readonly NewMessage[] | undefined,
): readonly NewMessage[] {
  return [...(report === null ? [] : [report]), ...(reportCopies ?? []), ...(copies ?? [])];
}
