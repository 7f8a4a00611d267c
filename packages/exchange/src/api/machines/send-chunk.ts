import {
  chunkBody,
  invalidChunkNumber,
  type Profile,
  parseChunkHeaders,
  parseChunkNumber,
  parseMessageId,
} from '@openmesh/protocol';
import type { ChunkOutcome, ChunkRequest } from '../../message/receive-chunk.ts';
import { refuse } from '../../message/refused.ts';
import { type CommittingOperation, refuseAs, reply } from './request.ts';

/** `POST /messageexchange/{mailbox}/outbox/{id}/{n}`: a later chunk, in any order. */
export function sendChunk(
  receiveChunk: (request: ChunkRequest) => Promise<ChunkOutcome>,
  profile: Profile,
): CommittingOperation {
  return {
    name: 'send-chunk',
    access: 'token',
    commitsNonce: true,
    async handle({ mailbox: sender, params, header, version, nonce, body }) {
      const [rawId = '', rawChunk = ''] = params;
      const chunkNumber = parseChunkNumber(rawChunk);
      if (chunkNumber === undefined) return refuseAs(invalidChunkNumber(rawChunk), 'the path has no chunk number');
      const messageId = parseMessageId(rawId);
      if (messageId === undefined) return refuse('not-found', 'the path has no message id');
      const reading = parseChunkHeaders(header, { pathChunk: chunkNumber, profile });
      if (!reading.ok) return { ...refuseAs(reading.failure, 'the chunk range was refused'), messageId };
      const outcome = await receiveChunk({ sender, messageId, chunkNumber, headers: reading.chunk, body, nonce });
      return outcome.kind === 'stored' ? reply(chunkBody(messageId, chunkNumber, version), messageId) : outcome;
    },
  };
}
