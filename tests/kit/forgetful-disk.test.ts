import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForgetfulDisk } from './forgetful-disk.ts';

const bytes = Buffer.alloc(5_000, 7);

describe('forgetful disk', () => {
  let root: string;
  let disk: ForgetfulDisk;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'openmesh-forgetful-'));
    disk = new ForgetfulDisk(root);
  });
  afterEach(() => rm(root, { recursive: true }));

  it('keeps a file whose bytes and entry were flushed', async () => {
    const file = await disk.create(join(root, 'a'));
    await file.write(bytes, 0);
    await file.sync();
    await disk.syncDirectory(root);
    await disk.cut('none');
    expect(await readFile(join(root, 'a'))).toEqual(bytes);
  });

  it('loses a flushed file whose entry was not flushed, and empties one whose bytes were not', async () => {
    const nameless = await disk.create(join(root, 'nameless'));
    await nameless.write(bytes, 0);
    await nameless.sync();
    await disk.cut('none');
    expect(await readdir(root)).toEqual([]);
    const empty = await disk.create(join(root, 'empty'));
    await empty.write(bytes, 0);
    await disk.syncDirectory(root);
    await disk.cut('none');
    expect(await readFile(join(root, 'empty'))).toHaveLength(0);
  });

  it('loses everything below a folder whose entry was not flushed', async () => {
    await disk.makeDirectory(join(root, 'folder'));
    const file = await disk.create(join(root, 'folder', 'a'));
    await file.sync();
    await disk.syncDirectory(join(root, 'folder'));
    await disk.cut('none');
    expect(await readdir(root)).toEqual([]);
  });

  it('covers by a flush only the writes completed before it began', async () => {
    const file = await disk.create(join(root, 'a'));
    await disk.syncDirectory(root);
    await file.write(bytes, 0);
    await Promise.all([file.sync(), file.write(bytes, bytes.length)]);
    await disk.cut('none');
    expect(await readFile(join(root, 'a'))).toEqual(bytes);
  });

  it('never makes durable what a failed flush should have, however often it is asked again', async () => {
    const file = await disk.create(join(root, 'a'));
    await disk.syncDirectory(root);
    await file.write(bytes, 0);
    disk.script({ operation: 'sync', nth: 1, kind: 'EIO' });
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await file.sync();
    await disk.cut('all');
    expect(await readFile(join(root, 'a'))).toHaveLength(0);
  });

  it('leaves the same ruin for the same seed, and whole sectors only', async () => {
    const ruins: Buffer[] = [];
    for (const seed of [1, 1, 2]) {
      const name = join(root, `ruin-${ruins.length}`);
      const file = await disk.create(name);
      await disk.syncDirectory(root);
      await file.write(Buffer.alloc(512 * 40, 9), 0);
      await disk.cut('some', seed);
      ruins.push(await readFile(name));
    }
    expect(ruins[1]).toEqual(ruins[0]);
    expect(ruins[2]).not.toEqual(ruins[0]);
    for (const ruin of ruins) expect(ruin.length % 512).toBe(0);
  });

  it('does nothing more once the power failed, until it is cut and started again', async () => {
    disk = new ForgetfulDisk(root, { powerFailsAt: 2 });
    const file = await disk.create(join(root, 'a'));
    await expect(file.write(bytes, 0)).rejects.toMatchObject({ code: 'EIO' });
    await expect(disk.syncDirectory(root)).rejects.toMatchObject({ code: 'EIO' });
    await disk.cut('none');
    await expect(file.write(bytes, 0)).rejects.toMatchObject({ code: 'EIO' });
    await (await disk.create(join(root, 'b'))).close();
  });

  it('restores a removed name whose removal was not flushed', async () => {
    await (await disk.create(join(root, 'a'))).close();
    await disk.syncDirectory(root);
    await disk.unlink(join(root, 'a'));
    await disk.cut('none');
    expect(await readdir(root)).toEqual(['a']);
  });
});
