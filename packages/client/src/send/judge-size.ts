import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { PayloadInput, PayloadSource } from '@openmesh/sdk';
import { type Verdict, verdicts } from '../control-file/outcomes.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import type { SendOrder } from './judge-pair.ts';

/** Why data of this size cannot be sent as ordered; undefined when it can. */
export async function judgeSize(
  { config }: MailboxParts,
  order: SendOrder,
  sizeBytes: number,
  source: PayloadInput,
): Promise<Verdict | undefined> {
  // An empty file that was packed would be 20 bytes, which a service would take.
  if (sizeBytes === 0 && !config.allowEmpty) return verdicts.dataMissing;
  if (sizeBytes > config.messageBytesMax) return verdicts.tooLarge;
  if (order.mayChunk || sizeBytes <= config.wholeBytesMax) return undefined;
  if (!order.gzip || sizeBytes > wholeSourceBytesMax) return verdicts.tooLargeForOneMessage;
  // What was read ahead is smaller than any limit on a whole message.
  if (source instanceof Uint8Array) return undefined;
  return (await packedBytes(source)) > config.wholeBytesMax ? verdicts.tooLargeForOneMessage : undefined;
}

/** The most that fits into one request before it is packed. */
const wholeSourceBytesMax = 99 * 1024 * 1024;

async function packedBytes(source: PayloadSource): Promise<number> {
  const payload = await source.open(undefined);
  let bytes = 0;
  const count = new Writable({
    write(block: Buffer, _encoding, done) {
      bytes += block.length;
      done();
    },
  });
  try {
    // Handed over as it is, each block is packed before the next is read into the buffer of the one before.
    await pipeline(payload.read({ start: 0, end: payload.sizeBytes }, undefined), createGzip(), count);
    return bytes;
  } finally {
    await payload.close();
  }
}
