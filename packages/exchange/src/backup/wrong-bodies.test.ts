import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Blobs } from '../store/blobs.ts';
import type { BodyKey, BodyRef, DurableBody } from '../store/bodies.ts';
import { patterned, put } from '../store/body-probe.ts';
import { DiskBlobs } from '../store/disk/disk-blobs.ts';
import { createDiskBodies } from '../store/disk/disk-bodies.ts';
import { nodeFileSystem } from '../store/disk/file-system.ts';
import type { NamedBody } from '../store/ledger-snapshot.ts';
import { makeBackupKeys, readIdentity, readRecipient } from './backup-keys.ts';
import { copyBodies } from './copy-bodies.ts';
import { createBackup } from './create-backup.ts';
import { listBackups } from './read-backup.ts';
import { restoreBackup } from './restore-backup.ts';

const { publicText, privateText } = makeBackupKeys();
const key: BodyKey = randomBytes(32);
/** Of a body of two blocks and of a small one, encrypted and plain. */
const sizes = [4 * 1024 * 1024 + 5, 100];

const randomKey = (): string => randomBytes(16).toString('hex');
const always = (): Promise<boolean> => Promise.resolve(true);
const nothing = (): Promise<void> => Promise.resolve();

async function* image(): AsyncGenerator<Uint8Array, void, void> {
  yield Uint8Array.of(1);
}

async function readLedger(_engine: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of pieces) continue;
}

let folder = '';
let source: Blobs;
let target: Blobs;
let stored: readonly (DurableBody & { readonly isSealed: boolean })[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openmesh-wrong-bodies-'));
  const root = join(folder, 'source');
  const clock = { nowMs: () => Date.UTC(2026, 0, 5) };
  const sized = { reserveBytes: 0, blockBuffers: 2 };
  const bodies = await createDiskBodies({ root, fileSystem: nodeFileSystem, clock, randomKey, ...sized });
  const all: (DurableBody & { isSealed: boolean })[] = [];
  for (const [seed, sizeBytes] of sizes.entries()) {
    const bytes = patterned(sizeBytes, seed);
    all.push({ ...(await put(bodies, bytes)), isSealed: false });
    all.push({ ...(await put(bodies, bytes, [65_536], key)), isSealed: true });
  }
  await bodies.close();
  stored = all.toSorted((a, b) => (a.ref < b.ref ? -1 : 1));
  source = new DiskBlobs(root);
  target = new DiskBlobs(join(folder, 'target'));
});
afterEach(() => rm(folder, { recursive: true }));

async function* named(): AsyncGenerator<NamedBody, void, void> {
  for (const [index, { ref, sizeBytes, sha256, isSealed }] of stored.entries()) {
    const seal = { payloadId: 'p', chunkNumber: index, wrapped: { keyId: 'k', wrapped: 'w' }, seal: 's' };
    const sealed = isSealed ? seal : null;
    yield { ref, sizeBytes, sha256: isSealed ? '' : sha256, keepUntilMs: Number.MAX_SAFE_INTEGER, sealed };
  }
}

const openSealed = ({ chunkNumber }: { readonly chunkNumber: number }) =>
  Promise.resolve({ key, tags: stored[chunkNumber]?.blockDigests ?? '' });
const nowMs = (): number => 0;
const progress = (): void => undefined;

/** Puts other bytes, of the same number, in the place of these bodies. */
async function spoil(which: (index: number) => boolean): Promise<void> {
  for (const [index, { ref }] of stored.entries()) {
    if (!which(index)) continue;
    const file = join(folder, 'target', ref);
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(file, bytes);
  }
}

async function expectTargetWhole(): Promise<void> {
  for (const { ref } of stored) {
    const [here, there] = await Promise.all(['source', 'target'].map((place) => readFile(join(folder, place, ref))));
    expect(there?.equals(here ?? Buffer.alloc(0))).toBe(true);
  }
}

const ways = {
  async copied() {
    return (await copyBodies(named(), source, target, { nowMs, isNamedNow: always, openSealed, progress })).there;
  },
  async restored() {
    const backups = new DiskBlobs(join(folder, 'backups'));
    await backUp(backups);
    const identity = readIdentity(privateText);
    if (identity === undefined) throw new Error('a key that cannot be read was made');
    const [id = ''] = await listBackups(backups);
    const parts = { source: { blobs: backups, identity }, bodies: target, restoreLedger: readLedger, progress };
    return (await restoreBackup(parts, id)).bodiesThere;
  },
};

async function backUp(backups: Blobs, isNamedNow: (ref: BodyRef) => Promise<boolean> = always) {
  const recipient = readRecipient(publicText);
  if (recipient === undefined) throw new Error('a key that cannot be read was made');
  const snapshot = { engine: 'sqlite', bodies: named, isNamedNow, pieces: image, close: nothing } as const;
  const told = { namingSecret: randomBytes(32), nowMs, product: '0', progress };
  return createBackup({ snapshot, bodies: source, target: backups, recipient, openSealed, ...told });
}

describe.each(['copied', 'restored'] as const)('bodies that are %s', (way) => {
  it('are written in place of those that stand there with the right length and other bytes', async () => {
    await ways.copied();
    await spoil((index) => index % 2 === 0);
    expect(await ways[way]()).toBe(stored.length / 2);
    await expectTargetWhole();
    await spoil(() => true);
    expect(await ways[way]()).toBe(0);
    await expectTargetWhole();
    expect(await ways[way]()).toBe(stored.length);
  });

  it('are written in place of those that stand there with another length', async () => {
    await ways.copied();
    for (const { ref } of stored) await truncate(join(folder, 'target', ref), 7);
    expect(await ways[way]()).toBe(0);
    await expectTargetWhole();
  });
});

it('a body that went after the moment of a backup is missing only where the ledger still names it', async () => {
  const [replaced, lost] = stored;
  if (replaced === undefined || lost === undefined) throw new Error('there are four bodies');
  await source.remove([replaced.ref, lost.ref]);
  const isNamedNow = (ref: BodyRef) => Promise.resolve(ref === lost.ref);
  const absent = { absent: [{ ref: lost.ref, why: 'missing' }], absentCount: 1 };
  expect(await backUp(new DiskBlobs(join(folder, 'backups')), isNamedNow)).toMatchObject(absent);
  const copied = await copyBodies(named(), source, target, { nowMs, isNamedNow, openSealed, progress });
  expect(copied).toMatchObject({ ...absent, bodies: stored.length - 2 });
});
