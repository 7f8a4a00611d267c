import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './architecture/source-tree.ts';

interface Row {
  readonly cells: readonly string[];
  /** Files of tests it names, from the root of the repository. */
  readonly tests: readonly string[];
}

function rowsOf(paper: string): readonly Row[] {
  const lines = readFileSync(join(repositoryRoot, paper), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('| ') && !line.startsWith('| #') && !line.startsWith('|--'))
    .map((line) => ({
      cells: line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
      tests: Array.from(line.matchAll(/\]\(([^)#\s]+\.(?:test\.ts|json))\)/g), (match) =>
        join(dirname(paper), match[1] ?? ''),
      ),
    }));
}

function missing(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ tests }) => tests.filter((path) => !existsSync(join(repositoryRoot, path))));
}

describe('what is said of safety and security is shown by tests that exist', () => {
  it('for each of the 25 classes of attack', () => {
    const rows = rowsOf('SECURITY.md');
    expect(rows.map(({ cells }) => cells[0])).toEqual(Array.from({ length: 25 }, (_, n) => `${n + 1}`));
    expect(rows.filter(({ tests }) => tests.length === 0).map(({ cells }) => cells[1])).toEqual([]);
    expect(missing(rows)).toEqual([]);
  });

  it('for each hazard', () => {
    const rows = rowsOf('docs/assurance/hazard-log.md').filter(({ cells }) => cells[0]?.startsWith('H') === true);
    const hazards = rows.filter(({ cells }) => /^H\d+$/.test(cells[0] ?? ''));
    expect(hazards.length).toBeGreaterThanOrEqual(7);
    expect(hazards.filter(({ tests }) => tests.length === 0).map(({ cells }) => cells[0])).toEqual([]);
    expect(missing(hazards)).toEqual([]);
  });

  it('for each requirement that is met, and each that is not says why', () => {
    const rows = rowsOf('docs/assurance/asvs.md').filter(({ cells }) => cells[3] !== 'Result');
    expect(rows.length).toBeGreaterThan(25);
    for (const { cells, tests } of rows) {
      const [, section, , result, shown = ''] = cells;
      expect(['pass', 'fail', 'not applicable'], section).toContain(result);
      if (result === 'pass') expect(tests.length, section).toBeGreaterThan(0);
      else expect(shown.length, section).toBeGreaterThan(9);
    }
    const chapters = new Set(rows.map(({ cells }) => cells[0]).filter((chapter) => chapter !== ''));
    expect(chapters.size).toBe(17);
    expect(missing(rows)).toEqual([]);
  });

  it('for each risk to the data of persons', () => {
    expect(missing(rowsOf('docs/assurance/data-protection.md'))).toEqual([]);
  });
});
