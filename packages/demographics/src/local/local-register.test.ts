import { describe, expect, it } from 'vitest';
import type { CalendarDate, Demographics, NhsNumber, TraceOutcome } from '../index.ts';
import { createLocalRegister, loadLocalRegister } from './local-register.ts';

const clock = { nowMs: () => Date.parse('2026-11-26T12:00:00Z') };
const person = { nhsNumber: '9000000009', dateOfBirth: '2010-10-22', surnames: ['Smith'], practice: 'Y12345' };
const register = (text: string) => createLocalRegister({ text, surnameMatch: 'first-three', clock });
const lines = (...entries: readonly object[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
const ask = (text: string, nhsNumber = '9000000009'): Promise<TraceOutcome> =>
  register(text).trace(
    { nhsNumber: nhsNumber as NhsNumber, dateOfBirth: '2010-10-22' as CalendarDate, surname: 'SMITH' },
    { correlationId: 'c' },
  );

const living = { supersededBy: null, isDeceased: false };
const fhir = {
  resourceType: 'Patient',
  id: '9000000009',
  name: [{ family: 'Smith' }],
  birthDate: '2010-10-22',
  generalPractitioner: [{ identifier: { value: 'Y12345' } }],
};

describe('a local register', () => {
  it.each([
    ['of lines', lines(person)],
    ['of lines with FHIR Patients', lines(fhir)],
    ['in a Bundle on one line', JSON.stringify({ resourceType: 'Bundle', entry: [{ resource: fhir }] })],
    ['in a Bundle over many lines', JSON.stringify({ resourceType: 'Bundle', entry: [{ resource: fhir }] }, null, 2)],
  ])('%s answers with the practice', async (_form, text) => {
    expect(await ask(text)).toEqual({ kind: 'found', practice: 'Y12345', ...living });
  });

  it.each([
    ['lines', lines(person, { nhsNumber: '9000000025', replacedBy: '9000000009' })],
    ['a Bundle', JSON.stringify({ resourceType: 'Bundle', entry: [{ resource: fhir }] }, null, 2)],
    ['lines that cannot all be read', `${lines(person)}oops\n`],
    ['a Bundle that cannot be read', '{\n"resourceType": "Bundle"'],
  ])('is the same when it is taken line by line: %s', async (_form, text) => {
    async function* each(): AsyncGenerator<string> {
      yield* text.replace(/\n$/, '').split('\n');
    }
    const question = {
      nhsNumber: '9000000009' as NhsNumber,
      dateOfBirth: '2010-10-22' as CalendarDate,
      surname: 'SMITH',
    };
    const options = { surnameMatch: 'first-three', clock } as const;
    const outcomeOf = async (make: () => Promise<Demographics> | Demographics): Promise<unknown> => {
      try {
        return await (await make()).trace(question, { correlationId: 'c' });
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await outcomeOf(() => loadLocalRegister({ lines: each(), ...options }))).toEqual(
      await outcomeOf(() => register(text)),
    );
  });

  it('follows a number to the one that replaced it', async () => {
    const text = lines({ nhsNumber: '9000000025', replacedBy: '9000000009' }, person);
    expect(await ask(text, '9000000025')).toEqual({
      kind: 'found',
      practice: 'Y12345',
      supersededBy: '9000000009',
      isDeceased: false,
    });
  });

  it('ends at a ring of replacements', async () => {
    const text = lines(
      { nhsNumber: '9000000025', replacedBy: '9000000009' },
      { nhsNumber: '9000000009', replacedBy: '9000000025' },
    );
    expect(await ask(text)).toEqual({ kind: 'not-found', why: 'unknown' });
  });

  it('knows an invalidated number from an unknown one', async () => {
    expect(await ask(lines({ nhsNumber: '9000000009', invalidated: true }))).toEqual({
      kind: 'not-found',
      why: 'invalidated',
    });
    expect(await ask('')).toEqual({ kind: 'not-found', why: 'unknown' });
  });

  it.each([
    ['a number that is none', lines(person, { ...person, nhsNumber: '9000000008' }), /^line 2 is not/],
    ['a number twice', lines(person, person), /^line 2 repeats/],
    ['a line that is no JSON', `${lines(person)}oops\n`, /^line 2 is not/],
    ['a person without a name', lines({ ...person, surnames: [] }), /^line 1 is not/],
    ['another document', JSON.stringify({ resourceType: 'Bundle', entry: [{}] }), /^entry 1 is not/],
  ])('is refused with %s, by its place and without a word of what stands there', (_says, text, message) => {
    expect(() => register(text)).toThrow(message);
    expect(() => register(text)).not.toThrow(/9000|Smith|2010/);
  });
});
