import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeBodies } from '../bodies.contract.ts';
import { createDiskBodies } from './disk-bodies.ts';
import { nodeFileSystem } from './file-system.ts';

describeBodies('disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'openmesh-bodies-'));
  const root = join(folder, 'bodies');
  const bodies = await createDiskBodies({
    root,
    fileSystem: nodeFileSystem,
    reserveBytes: 0,
    blockBuffers: 8,
    clock: { nowMs: () => Date.now() },
    randomKey: () => randomBytes(16).toString('hex'),
  });
  return {
    bodies,
    flipBit: async (ref, offset) => {
      const file = await open(join(root, ref), 'r+');
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, offset);
      byte[0] = (byte[0] ?? 0) ^ 0x10;
      await file.write(byte, 0, 1, offset);
      await file.close();
    },
    truncate: (ref, size) => truncate(join(root, ref), size),
    countStored: async () =>
      (await readdir(root, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).length,
    end: async () => {
      await bodies.close();
      await rm(folder, { recursive: true });
    },
  };
});
