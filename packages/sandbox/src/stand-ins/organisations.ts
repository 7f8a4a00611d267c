import { readFileSync } from 'node:fs';
import { fhir, operationOutcome, type StandIn, type StandInRequest } from './json-answer.ts';

/** An organisation as the fixtures write it. */
export interface FixtureOrganisation {
  readonly odsCode: string;
  readonly name: string;
  readonly active: boolean;
  readonly recordClass?: string;
  readonly roles: readonly string[];
  readonly operationalTo?: string;
  readonly lastChange?: string;
  readonly relationships?: readonly { readonly type: string; readonly target: string }[];
  readonly successors?: readonly { readonly target: string; readonly date: string }[];
}

const shipped = new URL('../../fixtures/stand-ins/organisations.json', import.meta.url);

export function readOrganisations(): readonly FixtureOrganisation[] {
  return JSON.parse(readFileSync(shipped, 'utf8')) as FixtureOrganisation[];
}

const extension = 'https://fhir.nhs.uk/England/StructureDefinition/Extension-England-';
const codes = 'https://digital.nhs.uk/services/organisation-data-service/CodeSystem/';
const odsCodes = 'https://fhir.nhs.uk/Id/ods-organization-code';
const lastChangeDefault = '2025-01-01';
const begun = '2000-04-01';

function typedPeriod(type: 'Legal' | 'Operational', end: string | undefined): object {
  const period = { start: begun, ...(end && { end }) };
  const dateType = { url: 'dateType', valueCoding: { code: type, display: type } };
  return { url: `${extension}TypedPeriod`, extension: [dateType, { url: 'period', valuePeriod: period }] };
}

function roleExtension(code: string, active: boolean, at: number): object {
  const roleCode = { coding: [{ system: `${codes}ODSOrganisationRole`, code }] };
  return {
    url: `${extension}OrganisationRole`,
    extension: [
      { url: 'instanceID', valueInteger: at },
      { url: 'roleCode', valueCodeableConcept: roleCode },
      { url: 'primaryRole', valueBoolean: at === 0 },
      { url: 'active', valueBoolean: active },
      typedPeriod('Operational', undefined),
    ],
  };
}

function organisationResource(organisation: FixtureOrganisation): object {
  const { odsCode, name, active, recordClass = 'RC1', roles, operationalTo } = organisation;
  const lastUpdated = `${organisation.lastChange ?? lastChangeDefault}T00:00:00+00:00`;
  return {
    resourceType: 'Organization',
    id: odsCode,
    meta: { lastUpdated },
    extension: [
      ...roles.map((code, at) => roleExtension(code, active, at)),
      typedPeriod('Legal', undefined),
      typedPeriod('Operational', operationalTo),
    ],
    identifier: [{ system: odsCodes, value: odsCode }],
    active,
    type: [{ coding: [{ system: `${codes}ODSRecordClass`, code: recordClass }] }],
    name,
    telecom: [{ system: 'phone', value: '01632 960000' }],
    address: [{ line: ['1 SANDBOX STREET'], city: 'LEEDS', postalCode: 'LS1 4AP', country: 'ENGLAND' }],
  };
}

const affiliation = (source: string, target: string, system: string, code: string, id: string): object => ({
  resourceType: 'OrganizationAffiliation',
  id,
  identifier: [{ value: id }],
  active: true,
  organization: { identifier: { system: odsCodes, value: source } },
  participatingOrganization: { identifier: { system: odsCodes, value: target } },
  code: [{ coding: [{ system, code }] }],
});

function affiliationResources({ odsCode, relationships = [], successors = [] }: FixtureOrganisation): object[] {
  const related = relationships.map(({ type, target }, at) =>
    affiliation(odsCode, target, `${codes}ODSRelationship`, type, `${odsCode}-R${at}`),
  );
  const succeeded = successors.map(({ target, date }, at) => ({
    ...affiliation(odsCode, target, `${codes}ODSSuccession`, 'Successor', `${odsCode}-S${at}`),
    period: { start: date },
  }));
  return [...related, ...succeeded];
}

const pageDefault = 20;
const pageMax = 1000;

/** The organisation data API: search by last change, a page at a time, and one organisation by its code. */
export function createOrganisationsStandIn(
  organisations: () => readonly FixtureOrganisation[],
  options: { readonly path: string; readonly apiKey: string },
): StandIn {
  const page = (url: URL, type: string): object => {
    const since = /^g[te](\d{4}-\d{2}-\d{2})/.exec(url.searchParams.get('_lastUpdated') ?? '')?.[1] ?? '';
    const count = Math.min(pageMax, Number(url.searchParams.get('_count') ?? pageDefault));
    const from = Number(url.searchParams.get('_page') ?? 0);
    const changed = organisations().filter(({ lastChange = lastChangeDefault }) => lastChange >= since);
    const resources =
      type === 'Organization' ? changed.map(organisationResource) : changed.flatMap(affiliationResources);
    const shown = resources.slice(from, from + count);
    const next = new URL(url);
    next.searchParams.set('_page', String(from + count));
    const more = from + count < resources.length ? [{ relation: 'next', url: next.href }] : [];
    return {
      resourceType: 'Bundle',
      type: 'searchset',
      total: resources.length,
      link: [{ relation: 'self', url: url.href }, ...more],
      entry: shown.map((resource) => ({ resource })),
    };
  };

  return {
    name: 'organisations',
    path: options.path,
    answer({ method, url, header }: StandInRequest) {
      if (header('apikey') !== options.apiKey) return operationOutcome(401, 'ACCESS_DENIED');
      const [, type = '', id] = /^\/(Organization|OrganizationAffiliation)(?:\/([^/]+))?$/.exec(
        url.pathname.slice(options.path.length),
      ) ?? [undefined];
      if (method !== 'GET' || type === '') return operationOutcome(404, 'UNSUPPORTED_SERVICE');
      if (id === undefined) return fhir(200, page(url, type));
      const found = organisations().find(({ odsCode }) => odsCode === id);
      return found === undefined ? operationOutcome(404, 'RESOURCE_NOT_FOUND') : fhir(200, organisationResource(found));
    },
  };
}
