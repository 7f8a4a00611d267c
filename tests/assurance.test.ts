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

/** Of each section of ASVS 5.0.0, the last number of level 1 or 2; those of level 3 come after them. */
const asvsSections: readonly (readonly [section: string, last: number])[] = [
  ...numbered(1, [2, 9, 11, 3, 2]),
  ...numbered(2, [3, 3, 4, 1]),
  ...numbered(3, [0, 2, 4, 6, 5, 0, 2]),
  ...numbered(4, [3, 1, 2, 4]),
  ...numbered(5, [1, 3, 2, 3]),
  ...numbered(6, [3, 12, 4, 4, 5, 3, 0, 4]),
  ...numbered(7, [3, 4, 2, 5, 2, 2]),
  ...numbered(8, [2, 3, 1, 1]),
  ...numbered(9, [3, 4]),
  ...numbered(10, [2, 2, 4, 11, 5, 2, 3]),
  ...numbered(11, [2, 3, 3, 4, 1, 1]),
  ...numbered(12, [3, 2, 4]),
  ...numbered(13, [1, 5, 2, 5]),
  ...numbered(14, [2, 4, 3]),
  ...numbered(15, [3, 3, 7]),
  ...numbered(16, [1, 5, 4, 3, 3]),
  ...numbered(17, [1, 4, 2]),
];
const asvsRequirements = asvsSections.flatMap(([section, last]) =>
  Array.from({ length: last }, (_, n) => `${section}.${n + 1}`),
);

function numbered(chapter: number, lasts: readonly number[]): readonly (readonly [string, number])[] {
  return lasts.map((last, n) => [`${chapter}.${n + 1}`, last]);
}

/** `1.2.3`, `1.2.3, 1.2.5`, or `1.2.3–1.4.2`: all that the standard has from one to the other. */
function requirementsIn(cell: string): readonly string[] {
  return cell.split(', ').flatMap((part) => {
    const [first = '', last = first] = part.split('–');
    const [from, to] = [asvsRequirements.indexOf(first), asvsRequirements.indexOf(last)];
    if (from < 0 || to < from) throw new Error(`${part} is no requirement of level 1 or 2`);
    return asvsRequirements.slice(from, to + 1);
  });
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

  it('for each requirement of levels 1 and 2 that is met, and each that is not says why', () => {
    const rows = rowsOf('docs/assurance/asvs.md').filter(({ cells }) => cells[3] !== 'Result');
    for (const { cells, tests } of rows) {
      const [, requirements = '', , result, shown = ''] = cells;
      expect(['pass', 'fail', 'not applicable'], requirements).toContain(result);
      if (result === 'pass') expect(tests.length, requirements).toBeGreaterThan(0);
      else expect(shown.length, requirements).toBeGreaterThan(9);
    }
    const judged = rows.flatMap(({ cells }) => requirementsIn(cells[1] ?? ''));
    expect(judged).toEqual(asvsRequirements);
    expect(missing(rows)).toEqual([]);
  });

  it('for each risk to the data of persons', () => {
    expect(missing(rowsOf('docs/assurance/data-protection.md'))).toEqual([]);
  });
});
