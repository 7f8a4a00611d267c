import { randomBytes } from 'node:crypto';
import type { EncryptedBodiesUnderTest } from '@openmesh/exchange/store/encrypted-bodies.contract.ts';
import { ObjectStore, type ObjectStoreOptions } from '@openmesh/exchange/store/s3/object-store.ts';
import { createS3Bodies, type S3BodiesOptions } from '@openmesh/exchange/store/s3/s3-bodies.ts';
import type { CephStore } from './ceph.ts';
import { bucketOf, type TestBucket } from './test-bucket.ts';

/** How to reach a prefix of a bucket of the test's store. */
export function objectOptions(ceph: CephStore, bucket: string, prefix: string): ObjectStoreOptions {
  return {
    endpoint: ceph.endpoint(),
    region: 'us-east-1',
    pathStyle: true,
    connectionsMax: 64,
    credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
    place: { bucket, prefix },
    encryption: { kind: 'none' },
  };
}

export function bodiesOptions(objects: ObjectStore): S3BodiesOptions {
  return {
    objects,
    blockBuffers: 24,
    clock: { nowMs: () => Date.now() },
    randomKey: () => randomBytes(16).toString('hex'),
  };
}

const prefix = 'some/prefix';

/** An empty body store in a bucket of its own, with ways to damage what lies there. */
export async function openS3Bodies(
  ceph: CephStore,
  options: Partial<S3BodiesOptions>,
): Promise<EncryptedBodiesUnderTest> {
  const bucket: TestBucket = await bucketOf(ceph);
  const objects = new ObjectStore(objectOptions(ceph, bucket.name, prefix));
  const bodies = createS3Bodies({ ...bodiesOptions(objects), ...options });
  return {
    bodies,
    flipBit: (ref, offset) =>
      bucket.rewrite(`${prefix}/${ref}`, (bytes) => {
        bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
        return bytes;
      }),
    truncate: (ref, size) => bucket.rewrite(`${prefix}/${ref}`, (bytes) => bytes.subarray(0, size)),
    raw: async (ref) => {
      let raw = Buffer.alloc(0);
      await bucket.rewrite(`${prefix}/${ref}`, (bytes) => {
        raw = Buffer.from(bytes);
        return bytes;
      });
      return raw;
    },
    overwrite: (ref, bytes) => bucket.rewrite(`${prefix}/${ref}`, () => Buffer.from(bytes)),
    countStored: async () => (await bucket.keys()).length + (await bucket.openUploads()),
    end: async () => {
      await bodies.close();
      bucket.close();
    },
  };
}
