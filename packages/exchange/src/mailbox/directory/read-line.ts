import { listOf, memberOf, textOf } from '@openmesh/demographics';
import type { OdsCode, OrganisationLink, OrganisationRecord } from '../../store/ledger/directory.ts';
import { parseOdsCode } from './ods-code.ts';
import { dayOf, linkOf, readAffiliation, readOrganization } from './read-fhir.ts';

/** What one object of a file says. */
export interface DirectoryItem {
  readonly organisation: OrganisationRecord | undefined;
  readonly links: readonly OrganisationLink[];
}

const nameLengthMax = 300;
const linksMax = 2000;

/**
 * Reads an object of a directory file: a FHIR Organization or OrganizationAffiliation, bare or as an entry of a Bundle,
 * or a line of our own. Undefined when it is none of these or cannot be read.
 */
export function readDirectoryObject(value: unknown): DirectoryItem | undefined {
  const resource = memberOf(value, 'resource') ?? value;
  switch (textOf(resource, 'resourceType')) {
    case 'Organization': {
      const organisation = readOrganization(resource);
      return organisation === undefined ? undefined : { organisation, links: [] };
    }
    case 'OrganizationAffiliation': {
      const link = readAffiliation(resource);
      return link === undefined ? undefined : { organisation: undefined, links: [link] };
    }
    // A Bundle without entries says nothing.
    case 'Bundle':
      return { organisation: undefined, links: [] };
    case undefined:
      return readOwn(resource);
    default:
      return undefined;
  }
}

/** `{"odsCode","name","active","recordClass","roles","operationalTo",…,"relationships","successors","predecessors"}` */
function readOwn(value: unknown): DirectoryItem | undefined {
  const odsCode = parseOdsCode(textOf(value, 'odsCode') ?? '');
  const name = textOf(value, 'name');
  if (odsCode === undefined || name === undefined || name === '' || name.length > nameLengthMax) return undefined;
  const roles = listOf(value, 'roles').filter((role) => typeof role === 'string');
  const links = readLinks(value, odsCode);
  if (links === undefined) return undefined;
  const text = (member: string): string => textOf(value, member) ?? '';
  const day = (member: string): string | null => dayOf(textOf(value, member));
  const organisation: OrganisationRecord = {
    odsCode,
    name,
    active: memberOf(value, 'active') !== false,
    recordClass: text('recordClass'),
    primaryRole: textOf(value, 'primaryRole') ?? roles[0] ?? '',
    roles: roles.map((code) => ({ code, active: true, from: null, to: null })),
    legal: { from: day('legalFrom'), to: day('legalTo') },
    operational: { from: day('operationalFrom'), to: day('operationalTo') },
    address: {
      lines: listOf(value, 'addressLines').filter((line) => typeof line === 'string'),
      town: text('town'),
      county: text('county'),
      postcode: text('postcode'),
      country: text('country'),
    },
    telephone: text('telephone'),
    lastChange: day('lastChange'),
  };
  return { organisation, links };
}

function readLinks(value: unknown, odsCode: OdsCode): readonly OrganisationLink[] | undefined {
  const links: (OrganisationLink | undefined)[] = [];
  for (const [member, fixed] of [
    ['relationships', undefined],
    ['successors', 'successor'],
    ['predecessors', 'predecessor'],
  ] as const) {
    for (const entry of listOf(value, member)) links.push(readLink(entry, odsCode, fixed));
  }
  const read = links.filter((link) => link !== undefined);
  return read.length === links.length && read.length <= linksMax ? read : undefined;
}

function readLink(entry: unknown, odsCode: OdsCode, fixed: string | undefined): OrganisationLink | undefined {
  const target = parseOdsCode(textOf(entry, 'target') ?? '');
  const type = fixed ?? textOf(entry, 'type') ?? '';
  if (target === undefined || !/^[\w-]{1,40}$/.test(type)) return undefined;
  const from = dayOf(textOf(entry, 'from') ?? textOf(entry, 'date'));
  const span = { from, to: dayOf(textOf(entry, 'to')), active: memberOf(entry, 'active') !== false };
  return linkOf(odsCode, target, type, span);
}
