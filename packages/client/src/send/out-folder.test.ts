import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OutFolder } from './out-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openmesh-out-'));
});
afterEach(() => rmSync(root, { recursive: true }));

it('finds a pair ready a delay after the clock was set back, not when the clock has caught up', async () => {
  for (const ending of ['dat', 'ctl']) writeFileSync(join(root, `PAIR.${ending}`), 'x');
  const delayMs = 5000;
  const out = new OutFolder(root, delayMs);
  const now = Date.now();
  const back = now - 7_200_000;
  await out.look(now);
  expect((await out.look(back)).ready).toEqual([]);
  expect((await out.look(back + delayMs)).ready).toMatchObject([{ base: 'PAIR' }]);
});
