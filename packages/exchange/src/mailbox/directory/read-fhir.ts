import { listOf, memberOf, parseCalendarDate, textOf } from '@openmesh/demographics';
import type {
  DaySpan,
  OdsCode,
  OrganisationLink,
  OrganisationRecord,
  OrganisationRole,
} from '../../store/ledger/directory.ts';
import { parseOdsCode } from './ods-code.ts';

const codeSystem = 'https://fhir.nhs.uk/Id/ods-organization-code';
const rolesMax = 200;
const nameLengthMax = 300;

const noSpan: DaySpan = { from: null, to: null };

/** Extensions are told apart by the last word of their address, which profiles of different years share. */
function extensionsOf(value: unknown, word: string): readonly unknown[] {
  return listOf(value, 'extension').filter((each) => textOf(each, 'url')?.endsWith(word) === true);
}

function firstCode(value: unknown): string | undefined {
  return listOf(value, 'coding')
    .map((coding) => textOf(coding, 'code'))
    .find((code) => code !== undefined);
}

/** The day of a date or moment; null when there is none or it cannot be read. */
export function dayOf(text: string | undefined): string | null {
  return text === undefined ? null : (parseCalendarDate(text.slice(0, 10)) ?? null);
}

function spanOf(period: unknown): DaySpan {
  return { from: dayOf(textOf(period, 'start')), to: dayOf(textOf(period, 'end')) };
}

/** Dates of one kind: 'Legal', or 'Operational'. */
function typedSpan(value: unknown, type: string): DaySpan {
  for (const typed of extensionsOf(value, 'TypedPeriod')) {
    const coding = memberOf(extensionsOf(typed, 'dateType')[0], 'valueCoding');
    if (textOf(coding, 'code') === type) return spanOf(memberOf(extensionsOf(typed, 'period')[0], 'valuePeriod'));
  }
  return noSpan;
}

interface ReadRole extends OrganisationRole {
  readonly isPrimary: boolean;
}

function rolesOf(resource: unknown): readonly ReadRole[] {
  return extensionsOf(resource, 'OrganisationRole')
    .slice(0, rolesMax)
    .flatMap((extension) => {
      const code = firstCode(memberOf(extensionsOf(extension, 'roleCode')[0], 'valueCodeableConcept'));
      if (code === undefined) return [];
      const active = memberOf(extensionsOf(extension, 'active')[0], 'valueBoolean') !== false;
      const isPrimary = memberOf(extensionsOf(extension, 'primaryRole')[0], 'valueBoolean') === true;
      return [{ code, active, isPrimary, ...typedSpan(extension, 'Operational') }];
    });
}

function codeOf(resource: unknown): OdsCode | undefined {
  const identifiers = listOf(resource, 'identifier');
  const own = identifiers.find((identifier) => textOf(identifier, 'system') === codeSystem);
  return parseOdsCode(textOf(own, 'value') ?? textOf(resource, 'id') ?? '');
}

/** Reads a FHIR R4 Organization; undefined when it has no code or no name. */
export function readOrganization(resource: unknown): OrganisationRecord | undefined {
  const odsCode = codeOf(resource);
  const name = textOf(resource, 'name');
  if (odsCode === undefined || name === undefined || name === '' || name.length > nameLengthMax) return undefined;
  const roles = rolesOf(resource);
  const address = listOf(resource, 'address')[0];
  const phone = listOf(resource, 'telecom').find((contact) => textOf(contact, 'system') === 'phone');
  const lines = listOf(address, 'line').filter((line) => typeof line === 'string');
  return {
    odsCode,
    name,
    active: memberOf(resource, 'active') !== false,
    recordClass:
      listOf(resource, 'type')
        .flatMap((type) => firstCode(type) ?? [])
        .find(isRecordClass) ?? '',
    primaryRole: (roles.find(({ isPrimary }) => isPrimary) ?? roles[0])?.code ?? '',
    roles: roles.map(({ code, active, from, to }) => ({ code, active, from, to })),
    legal: typedSpan(resource, 'Legal'),
    operational: typedSpan(resource, 'Operational'),
    address: {
      lines,
      town: textOf(address, 'city') ?? '',
      county: textOf(address, 'district') ?? '',
      postcode: textOf(address, 'postalCode') ?? '',
      country: textOf(address, 'country') ?? '',
    },
    telephone: textOf(phone, 'value') ?? '',
    lastChange: dayOf(textOf(memberOf(resource, 'meta'), 'lastUpdated')),
  };
}

function isRecordClass(code: string): boolean {
  return /^RC\d+$/.test(code);
}

function referredCode(reference: unknown): OdsCode | undefined {
  const named = textOf(memberOf(reference, 'identifier'), 'value');
  return parseOdsCode(named ?? /(?:^|\/)Organization\/([^/]+)$/.exec(textOf(reference, 'reference') ?? '')?.[1] ?? '');
}

/**
 * Reads a FHIR R4 OrganizationAffiliation: a relationship from its organisation to the participating one, or a
 * succession. A predecessor is turned round, so that each succession is written once. Undefined when it cannot be read.
 */
export function readAffiliation(resource: unknown): OrganisationLink | undefined {
  const source = referredCode(memberOf(resource, 'organization'));
  const target = referredCode(memberOf(resource, 'participatingOrganization'));
  const type = listOf(resource, 'code').flatMap((concept) => firstCode(concept) ?? [])[0];
  if (source === undefined || target === undefined || type === undefined || !/^[\w-]{1,40}$/.test(type))
    return undefined;
  const typed = typedSpan(resource, 'Operational');
  const span = typed === noSpan ? spanOf(memberOf(resource, 'period')) : typed;
  return linkOf(source, target, type, { ...span, active: memberOf(resource, 'active') !== false });
}

/** A link of a type as the sources name it. */
export function linkOf(
  source: OdsCode,
  target: OdsCode,
  type: string,
  span: DaySpan & { readonly active: boolean },
): OrganisationLink {
  const succession = { ...span, kind: 'succession', type: 'successor' } as const;
  switch (type.toLowerCase()) {
    case 'successor':
      return { odsCode: source, target, ...succession };
    case 'predecessor':
      return { odsCode: target, target: source, ...succession };
    default:
      return { odsCode: source, target, ...span, kind: 'relationship', type };
  }
}
