const extension = 'https://fhir.nhs.uk/England/StructureDefinition/Extension-England-';
const odsCodes = 'https://fhir.nhs.uk/Id/ods-organization-code';
const letters = 26;

function codeOf(n: number): string {
  return `${String.fromCharCode(65 + (n % letters))}${String(n).padStart(6, '0')}`;
}

function typedPeriod(code: string): object {
  return {
    url: `${extension}TypedPeriod`,
    extension: [
      { url: 'dateType', valueCoding: { code, display: code } },
      { url: 'period', valuePeriod: { start: '1974-04-01' } },
    ],
  };
}

function organisation(n: number): object {
  const role = (code: string, isPrimary: boolean): object => ({
    url: `${extension}OrganisationRole`,
    extension: [
      { url: 'instanceID', valueInteger: n },
      { url: 'roleCode', valueCodeableConcept: { coding: [{ system: 'ODSOrganisationRole', code }] } },
      { url: 'primaryRole', valueBoolean: isPrimary },
      { url: 'active', valueBoolean: true },
      typedPeriod('Operational'),
    ],
  });
  return {
    resourceType: 'Organization',
    id: codeOf(n),
    meta: { lastUpdated: '2026-10-01T00:00:00+00:00', profile: ['https://fhir.nhs.uk/Organization'] },
    extension: [role('RO177', true), role('RO76', false), typedPeriod('Legal'), typedPeriod('Operational')],
    identifier: [{ system: odsCodes, value: codeOf(n) }],
    active: n % 5 !== 0,
    type: [{ coding: [{ system: 'ODSRecordClass', code: 'RC1', display: 'HSCOrg' }] }],
    name: `THE SURGERY NUMBER ${n}`,
    telecom: [{ system: 'phone', value: '01632 960000' }],
    address: [{ line: [`${n} HIGH STREET`, 'OLD TOWN'], city: 'LEEDS', postalCode: 'LS1 4AP', country: 'ENGLAND' }],
  };
}

function affiliation(n: number): object {
  return {
    resourceType: 'OrganizationAffiliation',
    id: String(n),
    active: true,
    organization: { identifier: { system: odsCodes, value: codeOf(n) } },
    participatingOrganization: { identifier: { system: odsCodes, value: codeOf(n % 100) } },
    code: [{ coding: [{ system: 'ODSRelationship', code: 'RE4' }] }],
  };
}

/** A Bundle as the organisation data publishes it, a link for every second organisation, piece by piece. */
export function* organisationsBundle(count: number): Generator<string> {
  yield '{"resourceType":"Bundle","type":"collection","entry":[\n';
  for (let n = 0; n < count; n += 1) {
    const resources = n % 2 === 0 ? [organisation(n), affiliation(n)] : [organisation(n)];
    const entries = resources.map((resource) => JSON.stringify({ fullUrl: `urn:x:${n}`, resource }));
    yield `${n === 0 ? '' : ',\n'}${entries.join(',\n')}`;
  }
  yield '\n]}\n';
}
