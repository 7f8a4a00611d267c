import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile } from './log-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-client-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

function write(log: LogFile, text: string): void {
  log.write({ level: 'info', event: 'tried', component: 'Test', text }, new Date());
}

describe('mesh.log', () => {
  it('stops nobody while its disk is full, and says what is missing when there is room', () => {
    const path = join(folder, 'mesh.log');
    symlinkSync('/dev/full', path);
    using log = new LogFile({ folder, bytesMax: 100_000, filesKept: 2 });
    write(log, 'first');
    write(log, 'second');
    unlinkSync(path);
    write(log, 'third');
    write(log, 'fourth');
    const said = ['2 lines are missing here, because the log could not be written', 'third', 'fourth'];
    expect(read('mesh.log').trim().split('\n')).toEqual(said.map((text) => expect.stringContaining(text)));
  });

  it('is put aside at its size, goes on in a new file, and keeps no more than it may', () => {
    using log = new LogFile({ folder, bytesMax: 300, filesKept: 2 });
    for (let n = 0; n < 12; n += 1) write(log, `line ${n}`);
    const texts = [read('mesh.log.2'), read('mesh.log.1'), read('mesh.log')];
    const numbers = [...texts.join('').matchAll(/line (\d+)\n/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.at(-1)).toBe(11);
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(300);
  });
});
