import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { CephStore } from './ceph.ts';

/** A bucket as one sees it who does not go through the exchange. */
export interface TestBucket {
  readonly name: string;
  readonly client: S3Client;
  /** Every key, in order. */
  keys(): Promise<readonly string[]>;
  openUploads(): Promise<number>;
  /** Replaces an object's bytes. */
  rewrite(key: string, change: (bytes: Buffer) => Uint8Array): Promise<void>;
  close(): void;
}

/** Makes a new bucket. */
export async function bucketOf(ceph: CephStore): Promise<TestBucket> {
  const name = `kit-${randomBytes(6).toString('hex')}`;
  const client = new S3Client({
    endpoint: ceph.endpoint(),
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  return {
    name,
    client,
    async keys() {
      const page = await client.send(new ListObjectsV2Command({ Bucket: name }));
      if (page.IsTruncated === true) throw new Error('more objects than a test should make');
      return (page.Contents ?? []).map(({ Key: key }) => key ?? '');
    },
    openUploads: async () =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: name }))).Uploads?.length ?? 0,
    async rewrite(key, change) {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: name, Key: key }));
      if (body === undefined) throw new Error('an object without a body');
      const changed = change(Buffer.from(await body.transformToByteArray()));
      await client.send(new PutObjectCommand({ Bucket: name, Key: key, Body: changed }));
    },
    close: () => client.destroy(),
  };
}
