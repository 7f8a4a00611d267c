import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { CephStore } from '../../tests/kit/engines/ceph.ts';
import type { Chunk } from '../large/stores.ts';
import type { LargePayload } from '../payload.ts';

/** A bucket of the engine, reached by the same client library as the exchange's and nothing of ours in between. */
export class DirectBucket {
  readonly name = `bench-${randomBytes(6).toString('hex')}`;
  readonly #client: S3Client;
  readonly #payload: LargePayload;

  constructor(ceph: CephStore, payload: LargePayload) {
    this.#payload = payload;
    this.#client = new S3Client({
      endpoint: ceph.endpoint(),
      region: 'us-east-1',
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
    });
  }

  async create(): Promise<void> {
    await this.#client.send(new CreateBucketCommand({ Bucket: this.name }));
  }

  /** One streaming request of known length: the fastest of the ways that were measured. */
  async upload(chunk: Chunk): Promise<void> {
    const body = Readable.from(this.#payload.pieces(chunk.position, chunk.bytes), { objectMode: false });
    const input = { Bucket: this.name, Key: keyOf(chunk), Body: body, ContentLength: chunk.bytes };
    await this.#client.send(new PutObjectCommand(input));
  }

  /** One request; every byte is compared, as the generator does with the answers of the exchange. */
  async download(chunk: Chunk): Promise<void> {
    const { Body: body } = await this.#client.send(new GetObjectCommand({ Bucket: this.name, Key: keyOf(chunk) }));
    let got = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      if (!this.#payload.matches(piece, 0, piece.length, chunk.position + got))
        throw new Error('other bytes came back');
      got += piece.length;
    }
    if (got !== chunk.bytes) throw new Error(`${got} bytes came back instead of ${chunk.bytes}`);
  }

  close(): void {
    this.#client.destroy();
  }
}

function keyOf({ number, bytes }: Chunk): string {
  return `direct/${number}-${bytes}`;
}
