import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CalendarDate, parseNhsNumber, readBirthDate, surnamesAgree } from './index.ts';

const folder = new URL('../../../conformance/demographics/', import.meta.url);
const run = new Set<string>();

interface File {
  readonly description: string;
  readonly today?: CalendarDate;
  readonly cases: readonly { readonly says: string }[];
}

function vectors(name: string, check: (vector: never, file: File) => void): void {
  run.add(`${name}.json`);
  const file = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as File;
  describe(`${name}: ${file.description}`, () => {
    for (const vector of file.cases) it(vector.says, () => check(vector as never, file));
  });
}

vectors('nhs-numbers', ({ text, valid }: { text: string; valid: boolean }) => {
  expect(parseNhsNumber(text)).toBe(valid ? text : undefined);
});

type DateVector = { digits: string; date: string | null; order: string | null };
vectors('birth-dates', ({ digits, date, order }: DateVector, { today }) => {
  const read = readBirthDate(digits, today ?? ('' as CalendarDate));
  expect([read?.date ?? null, read?.order ?? null]).toEqual([date, order]);
});

type SurnameVector = { one: string; other: string; agrees: boolean; agreesFully: boolean };
vectors('surnames', ({ one, other, agrees, agreesFully }: SurnameVector) => {
  expect(surnamesAgree(one, other, 'first-three')).toBe(agrees);
  expect(surnamesAgree(other, one, 'first-three')).toBe(agrees);
  expect(surnamesAgree(one, other, 'full')).toBe(agreesFully);
});

describe('the vectors themselves', () => {
  it('are all run, so that a new file cannot be forgotten', () => {
    expect(readdirSync(folder).toSorted()).toEqual([...run].toSorted());
  });
});
