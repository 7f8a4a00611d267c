import { describeBodies } from '@openmesh/exchange/store/bodies.contract.ts';
import { describeEncryptedBodies } from '@openmesh/exchange/store/encrypted-bodies.contract.ts';
import { afterAll, beforeAll } from 'vitest';
import { CephStore } from '../kit/engines/ceph.ts';
import { openS3Bodies } from '../kit/engines/s3-bodies.ts';

let ceph: CephStore;
beforeAll(async () => {
  ceph = await CephStore.start();
});
afterAll(() => ceph[Symbol.asyncDispose]());

describeEncryptedBodies('S3', () => openS3Bodies(ceph, { hashThreads: 2 }));
describeEncryptedBodies('S3, with one thread and the least memory', () =>
  openS3Bodies(ceph, { hashThreads: 1, blockBuffers: 2 }),
);
describeBodies('S3', () => openS3Bodies(ceph, { hashThreads: 2 }));
describeBodies('S3, with one thread and the least memory', () =>
  openS3Bodies(ceph, { hashThreads: 1, blockBuffers: 2 }),
);
