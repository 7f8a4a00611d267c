import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOutcomeCode, readPatient } from './patient.ts';

const patient = {
  resourceType: 'Patient',
  id: '9000000009',
  meta: { security: [{ code: 'U' }] },
  name: [{ use: 'usual', family: 'Smith' }],
  birthDate: '2010-10-22',
  generalPractitioner: [{ identifier: { value: 'y12345', period: { start: '2020-01-01' } } }],
};

describe('a Patient', () => {
  it('is read as far as a trace needs it', () => {
    expect(readPatient(patient)).toEqual({
      nhsNumber: '9000000009',
      birthDate: '2010-10-22',
      surnames: ['Smith'],
      isRestricted: false,
      isDeceased: false,
      practices: [{ practice: 'Y12345', from: '2020-01-01', to: null }],
    });
  });

  it.each([
    ['is another resource', { ...patient, resourceType: 'Person' }],
    ['has a number that is none', { ...patient, id: '9000000008' }],
    ['says of the practice what is no list', { ...patient, generalPractitioner: {} }],
    ['names a practice that cannot be read', { ...patient, generalPractitioner: [{ identifier: {} }] }],
    [
      'names a practice whose dates cannot be read',
      { ...patient, generalPractitioner: [{ identifier: { value: 'Y12345', period: { end: 'soon' } } }] },
    ],
  ])('that %s is refused as a whole, so that nothing is guessed', (_says, resource) => {
    expect(readPatient(resource)).toBeUndefined();
  });

  it.each(['R', 'V', 'REDACTED'])('is restricted with label %s', (code) => {
    expect(readPatient({ ...patient, meta: { security: [{ code: 'X' }, { code }] } })?.isRestricted).toBe(true);
  });

  it('is read without a crash from any JSON at all', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (name, generalPractitioner, meta) => {
        const read = readPatient({ ...patient, name, generalPractitioner, meta });
        expect(read === undefined || read.nhsNumber === '9000000009').toBe(true);
        expect(['undefined', 'string']).toContain(typeof readOutcomeCode(name));
      }),
    );
  });
});
