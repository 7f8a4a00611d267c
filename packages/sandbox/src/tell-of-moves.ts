import type { Hall, Log, NotDone, SendRequest } from '@openmesh/exchange';
import { type ErrorName, errorFailure, parseMailboxId, type SendHeaders, toHeaderText } from '@openmesh/protocol';
import type { HookArguments, HookError, Listener, MoveTold } from './hooks.ts';

/** A message as hooks see it, in the spelling of the file store; what a `before_` hook writes here is sent. */
interface MutableMessage {
  message_id?: string;
  readonly sender: string;
  recipient: string;
  workflow_id: string;
  readonly total_chunks: number;
  metadata: Record<string, unknown>;
}

const textLengthMax = 500;

/** The hall, telling of its moves before and after each; listeners are told in their order. */
export function tellOfMoves(hall: Hall, listeners: readonly Listener[], log: Log): Hall {
  const teller = createTeller(listeners, log);
  return {
    ...hall,
    async send(request) {
      const message = describe(request);
      const whole = request.headers.totalChunks === 1;
      const moves: readonly MoveTold[] = whole
        ? ['send_message', 'save_chunk', 'save_message', 'accept_message']
        : ['send_message', 'save_chunk', 'save_message'];
      return teller.around(moves, { message, chunk_number: 1 }, async () => {
        const outcome = await hall.send({ ...request, headers: readBack(request.headers, message) });
        if (outcome.kind === 'accepted') message.message_id = outcome.messageId;
        return outcome;
      });
    },
    receiveChunk(request) {
      const { sender, messageId: message_id, chunkNumber: chunk_number } = request;
      return teller.around(['save_chunk'], { sender, message_id, chunk_number }, () => hall.receiveChunk(request));
    },
    acknowledge(request) {
      const { mailbox, messageId: message_id } = request;
      return teller.around(['acknowledge_message'], { mailbox, message_id }, () => hall.acknowledge(request));
    },
  };
}

function createTeller(listeners: readonly Listener[], log: Log) {
  const ask = async (move: MoveTold, args: HookArguments): Promise<ErrorName | undefined> => {
    const event = `before_${move}` as const;
    for (const listener of listeners) {
      const refused = listener.triggers.has(event) ? await listener.tell(event, args) : undefined;
      if (refused !== undefined) return refused;
    }
    return undefined;
  };

  /** What has happened has happened: a hook that fails now changes no answer. */
  const tell = async (
    event: `after_${MoveTold}` | `${MoveTold}_error`,
    args: HookArguments,
    error?: HookError,
  ): Promise<void> => {
    for (const listener of listeners) {
      if (!listener.triggers.has(event)) continue;
      await listener.tell(event, args, error).catch((fault: unknown) => log.error('hook-failed', fault));
    }
  };

  return {
    /** Tells of all moves before `act`, outermost first, and after it, innermost first. */
    async around<R extends { readonly kind: string }>(
      moves: readonly MoveTold[],
      args: HookArguments,
      act: () => Promise<R | NotDone>,
    ): Promise<R | NotDone> {
      const begun: MoveTold[] = [];
      const fail = async (error: HookError): Promise<void> => {
        for (const move of begun) await tell(`${move}_error`, args, error);
      };
      try {
        for (const move of moves) {
          begun.unshift(move);
          const refused = await ask(move, args);
          if (refused === undefined) continue;
          await fail({ name: refused, message: `refused by a hook before ${move}` });
          return { kind: 'refused', failure: errorFailure(refused), detail: `a hook refused ${move}` };
        }
        const outcome = await act();
        const failed = failureOf(outcome);
        if (failed !== undefined) await fail(failed);
        else for (const move of begun) await tell(`after_${move}`, args);
        return outcome;
      } catch (error) {
        await fail({ name: error instanceof Error ? error.name : 'Error', message: 'the move failed' });
        throw error;
      }
    },
  };
}

function failureOf(outcome: { readonly kind: string }): HookError | undefined {
  if (outcome.kind === 'nonce-used') return { name: 'duplicate-token', message: 'the token was used before' };
  if (outcome.kind !== 'refused') return undefined;
  const { failure, detail } = outcome as Extract<NotDone, { kind: 'refused' }>;
  return { name: failure.kind === 'error' ? failure.name : 'validation', message: detail };
}

function describe({ sender, headers }: SendRequest): MutableMessage {
  return {
    sender,
    recipient: headers.to,
    workflow_id: headers.workflowId,
    total_chunks: headers.totalChunks,
    metadata: {
      subject: headers.subject,
      local_id: headers.localId,
      file_name: headers.fileName,
      partner_id: headers.partnerId,
      checksum: headers.checksum,
      content_type: headers.contentType,
      content_encoding: headers.contentEncoding,
      encrypted: headers.encrypted,
      compressed: headers.compressed,
    },
  };
}

/** The headers as the hooks left them. How the body is encoded and cut is the caller's, and not to be changed. */
function readBack(headers: SendHeaders, { recipient, workflow_id, metadata }: MutableMessage): SendHeaders {
  const to = readText(recipient, 'recipient') ?? '';
  return {
    ...headers,
    to,
    toMailbox: parseMailboxId(to),
    workflowId: readText(workflow_id, 'workflow_id') ?? '',
    subject: readText(metadata['subject'], 'subject'),
    localId: readText(metadata['local_id'], 'local_id'),
    fileName: readText(metadata['file_name'], 'file_name'),
    partnerId: readText(metadata['partner_id'], 'partner_id'),
    checksum: readText(metadata['checksum'], 'checksum'),
    contentType: readText(metadata['content_type'], 'content_type'),
    encrypted: metadata['encrypted'] === true,
    compressed: metadata['compressed'] === true,
  };
}

function readText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length <= textLengthMax) return toHeaderText(value);
  throw new TypeError(`a hook left ${name} as something else than a text of at most ${textLengthMax} characters`);
}
