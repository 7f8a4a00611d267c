import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeBlobs } from '../blobs.contract.ts';
import { DiskBlobs } from './disk-blobs.ts';

describeBlobs('disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'openmesh-blobs-'));
  return {
    blobs: new DiskBlobs(join(folder, 'made', 'on-demand')),
    countStored: async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length,
    end: () => rm(folder, { recursive: true }),
  };
});
