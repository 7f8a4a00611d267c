import { hash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import type { PayloadKey } from '../keys/payload-key.ts';
import { type Bodies, BodyFault } from '../store/bodies.ts';
import type { NewChunk } from '../store/ledger/messages.ts';
import type { IncomingBody } from './incoming-body.ts';

/** A chunk whose bytes are durable, or small enough to be carried in the command that commits it. */
export interface ReceivedBody {
  readonly kind: 'received';
  readonly sizeBytes: number;
  /** The bytes as they came, until `keep` is called; null when there are too many to hold. */
  readonly plain: Uint8Array | null;
  /** SHA-256 of the bytes as they came, lower-case hex; to be asked before `keep` is called. */
  sha256(): string;
  /** The chunk as it is kept: encrypted when there was a key, a small one where it lies. */
  keep(): NewChunk;
  /** Takes the bytes back when the record that would have named them was not made. */
  discard(): Promise<void>;
}

export type ReceiveBody = (
  body: IncomingBody,
  chunkNumber: number,
  /** Of the payload; null: it is kept as it comes. */
  key: PayloadKey | null,
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
  return async (body, chunkNumber, key) => {
    if (body.declaredBytes !== undefined && body.declaredBytes > chunkBytesMax) return { kind: 'too-large' };
    const { bytes, ended } = await body.head(inlineBytesMax);
    if (ended) {
      if (bytes.length === 0) return { kind: 'empty' };
      // The ledger grows by it: small messages must not eat the reserve that acknowledging and downloading live on.
      if ((await bodies.freeBytes()) <= bytes.length) throw new BodyFault('disk-full', 'the reserve would be touched');
      return receivedInline(bytes, chunkNumber, key);
    }
    return stream(body, bytes, chunkNumber, key);
  };

  async function stream(
    body: IncomingBody,
    head: Uint8Array,
    chunkNumber: number,
    key: PayloadKey | null,
  ): ReturnType<ReceiveBody> {
    const bodyKey = key?.newBodyKey(chunkNumber);
    const sink = await bodies.create(bodyKey?.key);
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
      const { ref, sha256, blockDigests: tags } = durable;
      const kept = bodyKey && { sha256: '', blockDigests: bodyKey.seal({ sizeBytes, sha256, tags }) };
      const chunk: NewChunk = { chunkNumber, ...durable, ...kept, inline: null };
      const discard = (): Promise<void> => bodies.remove([ref]);
      return { kind: 'received', sizeBytes, plain: null, sha256: () => sha256, keep: () => chunk, discard };
    } catch (error) {
      await sink.abort();
      if (error instanceof TooLarge) return { kind: 'too-large' };
      throw error;
    }
  }
}

/** Encrypted, its tag takes the place of the digest, which is then made only where somebody asks. */
function receivedInline(bytes: Uint8Array<ArrayBuffer>, chunkNumber: number, key: PayloadKey | null): ReceivedBody {
  const sizeBytes = bytes.length;
  const sha256 = (): string => hash('sha256', bytes, 'hex');
  const keep = (): NewChunk => {
    const digests =
      key === null
        ? { sha256: sha256(), blockDigests: '' }
        : { sha256: '', blockDigests: key.sealInline(chunkNumber, bytes) };
    return { chunkNumber, sizeBytes, ...digests, inline: bytes, ref: null };
  };
  return { kind: 'received', sizeBytes, plain: bytes, sha256, keep, discard: discardNothing };
}

/** Stops the flow of a body that outgrew its limit without having declared its length. */
class TooLarge extends Error {}
