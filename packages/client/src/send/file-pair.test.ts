import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bareFile } from '../control-file/copies.ts';
import { openMailboxTree } from '../folders/mailbox-tree.ts';
import { freeReportName } from '../folders/names.ts';
import { putAside } from '../folders/staged-moves.ts';
import { placeReport } from './file-pair.ts';

const folders = { in: 'IN', out: 'OUT', sent: 'SENT', failed: 'FAILED', temp: 'TEMP' };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openmesh-reports-'));
});
afterEach(() => rmSync(root, { recursive: true }));

it('gives every report a name of its own, however many of one name are written at the same time', async () => {
  const tree = await openMailboxTree(root, folders, true);
  writeFileSync(join(tree.in, 'POLL_1.ctl'), 'of an earlier run');
  const reports = Array.from({ length: 8 }, (_, nth) =>
    placeReport({ tree, lineEnd: '\n' }, 'POLL', bareFile('X26ABC1'), `report-${nth}`),
  );
  await Promise.all(reports);
  const numbered = Array.from({ length: 8 }, (_, nth) => `POLL_${nth + 1}.ctl`);
  expect(readdirSync(tree.in).sort()).toEqual(['POLL.ctl', ...numbered].sort());
});

it('gives every report a name of its own where thousands of its name were never taken away', async () => {
  const taken = new Set(['POLL.ctl', ...Array.from({ length: 10_000 }, (_, nth) => `POLL_${nth}.ctl`)]);
  const take = (): Promise<string> =>
    freeReportName('POLL', (name) => {
      const isTaken = taken.has(name);
      taken.add(name);
      return Promise.resolve(isTaken);
    });
  const names = await Promise.all(Array.from({ length: 8 }, take));
  expect(new Set(names).size).toBe(8);
});

it('puts nothing aside over what was put aside before', async () => {
  for (const text of ['first', 'second', 'third']) {
    writeFileSync(join(root, 'PAIR.dat'), text);
    await putAside(root, 'PAIR.dat', '20261127000000000');
  }
  const kept = readdirSync(root).map((name) => readFileSync(join(root, name), 'utf8'));
  expect(kept.sort()).toEqual(['first', 'second', 'third']);
});
