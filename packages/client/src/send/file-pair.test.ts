import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bareFile } from '../control-file/copies.ts';
import { openMailboxTree } from '../folders/mailbox-tree.ts';
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
