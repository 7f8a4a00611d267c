import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CalendarDate } from './calendar-date.ts';
import type { TraceQuestion } from './demographics.ts';
import type { NhsNumber } from './nhs-number.ts';
import { judge, type PatientRecord } from './patient-record.ts';

const rules = { surnameMatch: 'first-three', today: '2026-11-26' as CalendarDate } as const;
const day = (text: string): CalendarDate => text as CalendarDate;
const question: TraceQuestion = {
  nhsNumber: '9000000009' as NhsNumber,
  dateOfBirth: day('2010-10-22'),
  surname: 'SMITH',
};
const record: PatientRecord = {
  nhsNumber: question.nhsNumber,
  birthDate: '2010-10-22',
  surnames: ['Smith'],
  isRestricted: false,
  isDeceased: false,
  practices: [{ practice: 'Y12345', from: day('2020-01-01'), to: null }],
};
const ended = { practice: 'A11111', from: day('2000-01-01'), to: day('2019-12-31') };
const living = { supersededBy: null, isDeceased: false };

describe('what a record answers', () => {
  it.each([
    ['is its current practice', {}, { kind: 'found', practice: 'Y12345', ...living }],
    [
      'is the current one of several',
      { practices: [ended, ...record.practices] },
      { kind: 'found', practice: 'Y12345', ...living },
    ],
    ['is no practice when none is named', { practices: [] }, { kind: 'no-practice', ...living }],
    ['is no practice when the registration has ended', { practices: [ended] }, { kind: 'no-practice', ...living }],
    [
      'is no practice when the registration has not begun',
      { practices: [{ practice: 'A1', from: day('2027-01-01'), to: null }] },
      { kind: 'no-practice', ...living },
    ],
    [
      'is the last practice of somebody who died',
      { isDeceased: true, practices: [ended, { ...ended, practice: 'B22222', to: day('2021-05-05') }] },
      { kind: 'found', practice: 'B22222', supersededBy: null, isDeceased: true },
    ],
    ['is nothing of where a restricted person can be found', { isRestricted: true }, { kind: 'restricted', ...living }],
    ['does not match another date of birth', { birthDate: '2010-10-23' }, { kind: 'mismatch' }],
    ['does not match a date of birth that is a month only', { birthDate: '2010-10' }, { kind: 'mismatch' }],
    ['does not match a record without a date of birth', { birthDate: '' }, { kind: 'mismatch' }],
    ['does not match another surname', { surnames: ['Jones'] }, { kind: 'mismatch' }],
    ['does not match a record without a name', { surnames: [] }, { kind: 'mismatch' }],
    ['matches a previous name', { surnames: ['Jones', 'Smithson'] }, { kind: 'found', practice: 'Y12345', ...living }],
    [
      'names the number that took the place of the one asked for',
      { nhsNumber: '9000000033' as NhsNumber },
      { kind: 'found', practice: 'Y12345', supersededBy: '9000000033', isDeceased: false },
    ],
  ])('%s', (_says, change, outcome) => {
    expect(judge(question, { ...record, ...change }, rules)).toEqual(outcome);
  });

  it('tells whether it is restricted, deceased or replaced only to somebody who knows name and date of birth', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom('birthDate', 'surnames'),
        (isRestricted, isDeceased, by) => {
          const wrong = by === 'birthDate' ? { birthDate: '1999-09-09' } : { surnames: ['Jones'] };
          const changed = { ...record, isRestricted, isDeceased, nhsNumber: '9000000033' as NhsNumber, ...wrong };
          expect(judge(question, changed, rules)).toEqual({ kind: 'mismatch' });
        },
      ),
    );
  });
});
