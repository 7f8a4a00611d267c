import { hash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { type Bodies, BodyFault } from '../store/bodies.ts';
import type { NewChunk } from '../store/ledger/messages.ts';
import type { IncomingBody } from './incoming-body.ts';

/** A chunk whose bytes are durable, or small enough to be carried in the command that commits it. */
export interface ReceivedBody {
  readonly kind: 'received';
  readonly chunk: NewChunk;
  /** Takes the bytes back when the record that would have named them was not made. */
  discard(): Promise<void>;
}

export type ReceiveBody = (
  body: IncomingBody,
  chunkNumber: number,
) => Promise<ReceivedBody | { readonly kind: 'empty' } | { readonly kind: 'too-large' }>;

/** Where a test makes the process die: costs nothing while nobody listens. */
const bodyDurable = channel('openmesh:body-durable');

const discardNothing = (): Promise<void> => Promise.resolve();

/**
 * Bytes before book: when this resolves, a body larger than `inlineBytesMax` is durable in the body store. Reads
 * `inlineBytesMax` + 1 bytes to decide. Rejects with `BodyAborted` or `BodyFault`; nothing is left behind then but bytes
 * nobody refers to.
 */
export function createReceiveBody(options: {
  readonly bodies: Bodies;
  readonly inlineBytesMax: number;
  readonly chunkBytesMax: number;
}): ReceiveBody {
  const { bodies, inlineBytesMax, chunkBytesMax } = options;
  return async (body, chunkNumber) => {
    if (body.declaredBytes !== undefined && body.declaredBytes > chunkBytesMax) return { kind: 'too-large' };
    const { bytes, ended } = await body.head(inlineBytesMax);
    if (ended) {
      if (bytes.length === 0) return { kind: 'empty' };
      // The ledger grows by it: small messages must not eat the reserve that acknowledging and downloading live on.
      if ((await bodies.freeBytes()) <= bytes.length) throw new BodyFault('disk-full', 'the reserve would be touched');
      const chunk: NewChunk = {
        chunkNumber,
        sizeBytes: bytes.length,
        sha256: hash('sha256', bytes, 'hex'),
        blockDigests: '',
        inline: bytes,
        ref: null,
      };
      return { kind: 'received', chunk, discard: discardNothing };
    }
    return stream(body, bytes, chunkNumber);
  };

  async function stream(body: IncomingBody, head: Uint8Array, chunkNumber: number): ReturnType<ReceiveBody> {
    const sink = await bodies.create();
    let sizeBytes = head.length;
    try {
      await sink.write(head);
      await body.rest((piece) => {
        sizeBytes += piece.length;
        if (sizeBytes > chunkBytesMax) throw new TooLarge();
        return sink.write(piece);
      });
      const durable = await sink.finish();
      bodyDurable.publish(undefined);
      const chunk: NewChunk = { chunkNumber, ...durable, inline: null };
      return { kind: 'received', chunk, discard: () => bodies.remove([durable.ref]) };
    } catch (error) {
      await sink.abort();
      if (error instanceof TooLarge) return { kind: 'too-large' };
      throw error;
    }
  }
}

/** Stops the flow of a body that outgrew its limit without having declared its length. */
class TooLarge extends Error {}
