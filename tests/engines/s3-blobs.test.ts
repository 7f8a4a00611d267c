import { describeBlobs } from '@openmesh/exchange/store/blobs.contract.ts';
import { ObjectStore } from '@openmesh/exchange/store/s3/object-store.ts';
import { S3Blobs } from '@openmesh/exchange/store/s3/s3-blobs.ts';
import { afterAll, beforeAll } from 'vitest';
import { CephStore } from '../kit/engines/ceph.ts';
import { objectOptions } from '../kit/engines/s3-bodies.ts';
import { bucketOf } from '../kit/engines/test-bucket.ts';

let ceph: CephStore;
beforeAll(async () => {
  ceph = await CephStore.start();
});
afterAll(() => ceph[Symbol.asyncDispose]());

describeBlobs('S3', async () => {
  const bucket = await bucketOf(ceph);
  const blobs = new S3Blobs(new ObjectStore(objectOptions(ceph, bucket.name, 'backup')));
  return {
    blobs,
    countStored: async () => (await bucket.keys()).length + (await bucket.openUploads()),
    async end() {
      blobs.close();
      bucket.close();
    },
  };
});
