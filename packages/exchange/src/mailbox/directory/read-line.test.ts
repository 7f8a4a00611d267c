import { assert, jsonValue, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDirectoryObject } from './read-line.ts';

const extension = (word: string, ...parts: readonly object[]): object => ({
  url: `https://fhir.nhs.uk/England/StructureDefinition/Extension-England-${word}`,
  extension: parts,
});
const typedPeriod = (code: string, start: string, end?: string): object =>
  extension(
    'TypedPeriod',
    { url: 'dateType', valueCoding: { code } },
    { url: 'period', valuePeriod: { start, ...(end && { end }) } },
  );
const role = (code: string, active: boolean, isPrimary: boolean): object =>
  extension(
    'OrganisationRole',
    { url: 'roleCode', valueCodeableConcept: { coding: [{ code }] } },
    { url: 'primaryRole', valueBoolean: isPrimary },
    { url: 'active', valueBoolean: active },
    typedPeriod('Operational', '2001-01-01', '2020-01-01'),
  );
const surgery = {
  resourceType: 'Organization',
  id: 'a81001',
  meta: { lastUpdated: '2025-03-04T05:06:07Z' },
  identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'A81001' }],
  active: true,
  name: 'THE SURGERY',
  type: [{ coding: [{ code: 'PUBLISHED' }] }, { coding: [{ code: 'RC1' }] }],
  extension: [
    role('RO76', true, false),
    role('RO177', false, true),
    typedPeriod('Legal', '1999-01-01'),
    typedPeriod('Operational', '2000-04-01', '2026-03-31'),
  ],
  address: [
    { line: ['1 HIGH STREET'], city: 'YARM', district: 'CLEVELAND', postalCode: 'TS15 9AA', country: 'ENGLAND' },
  ],
  telecom: [
    { system: 'url', value: 'https://example.org' },
    { system: 'phone', value: '01642 000000' },
  ],
};
const affiliation = (code: string) => ({
  resourceType: 'OrganizationAffiliation',
  active: true,
  organization: { reference: 'Organization/A81001' },
  participatingOrganization: { identifier: { value: 'QHM' } },
  code: [{ coding: [{ code }] }],
  period: { start: '2022-07-01' },
});

describe('an object of the organisation data', () => {
  it('is read as far as the directory keeps it', () => {
    const span = { from: '2001-01-01', to: '2020-01-01' };
    expect(readDirectoryObject({ fullUrl: 'x', resource: surgery })).toEqual({
      organisation: {
        odsCode: 'A81001',
        name: 'THE SURGERY',
        active: true,
        recordClass: 'RC1',
        primaryRole: 'RO177',
        roles: [
          { code: 'RO76', active: true, ...span },
          { code: 'RO177', active: false, ...span },
        ],
        legal: { from: '1999-01-01', to: null },
        operational: { from: '2000-04-01', to: '2026-03-31' },
        address: {
          lines: ['1 HIGH STREET'],
          town: 'YARM',
          county: 'CLEVELAND',
          postcode: 'TS15 9AA',
          country: 'ENGLAND',
        },
        telephone: '01642 000000',
        lastChange: '2025-03-04',
      },
      links: [],
    });
  });

  it.each([
    ['RE4', { odsCode: 'A81001', kind: 'relationship', type: 'RE4', target: 'QHM' }],
    ['Successor', { odsCode: 'A81001', kind: 'succession', type: 'successor', target: 'QHM' }],
    ['Predecessor', { odsCode: 'QHM', kind: 'succession', type: 'successor', target: 'A81001' }],
  ])('is read as a link, when it is an affiliation of type %s', (code, link) => {
    const links = [{ ...link, from: '2022-07-01', to: null, active: true }];
    expect(readDirectoryObject(affiliation(code))).toEqual({ organisation: undefined, links });
  });

  it('is read with its links, when it is a line of ours', () => {
    const line = {
      odsCode: 'a81001',
      name: 'THE SURGERY',
      roles: ['RO177', 'RO76'],
      relationships: [{ type: 'RE6', target: 'a81002' }],
      predecessors: [{ target: 'A81003', date: '2020-01-01' }],
    };
    expect(readDirectoryObject(line)).toMatchObject({
      organisation: { odsCode: 'A81001', active: true, primaryRole: 'RO177' },
      links: [
        { odsCode: 'A81001', kind: 'relationship', type: 'RE6', target: 'A81002' },
        { odsCode: 'A81003', kind: 'succession', target: 'A81001', from: '2020-01-01' },
      ],
    });
  });

  it.each([
    ['without a code', { ...surgery, id: 'no code', identifier: [] }],
    ['without a name', { ...surgery, name: '' }],
    ['of another kind', { ...surgery, resourceType: 'Patient' }],
    ['that is an affiliation to nobody', { ...affiliation('RE4'), participatingOrganization: {} }],
    ['that is a line whose link leads nowhere', { odsCode: 'A81001', name: 'X', successors: [{}] }],
    ['that is no object', 'A81001'],
  ])('is refused %s', (_says, value) => {
    expect(readDirectoryObject(value)).toBeUndefined();
  });

  it('is read without a crash whatever its members hold', () => {
    assert(
      property(jsonValue(), jsonValue(), jsonValue(), (one, two, three) => {
        const odd = { ...surgery, extension: one, address: two, identifier: three, telecom: one, type: two };
        expect(readDirectoryObject(odd)?.organisation?.name).toBe('THE SURGERY');
        expect(() => readDirectoryObject({ ...affiliation('RE4'), code: one, organization: two })).not.toThrow();
        expect(() => readDirectoryObject({ odsCode: 'A81001', name: 'X', successors: one, roles: two })).not.toThrow();
      }),
    );
  });
});
