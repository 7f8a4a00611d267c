import { parseCalendarDate } from '../calendar-date.ts';
import { readPatient } from '../fhir/patient.ts';
import { type NhsNumber, parseNhsNumber } from '../nhs-number.ts';
import type { PatientRecord } from '../patient-record.ts';
import { listOf, memberOf, textOf } from '../read-members.ts';

/** What a local register says of a number. */
export type RegisterEntry =
  | { readonly kind: 'person'; readonly record: PatientRecord }
  | { readonly kind: 'superseded'; readonly by: NhsNumber }
  | { readonly kind: 'invalidated' };

/** A register that cannot be used; says where, and never what stands there. */
export class RegisterFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RegisterFault';
  }
}

/**
 * Reads a register: a FHIR R4 Bundle of Patients, or one JSON object a line, each a Patient or
 * `{"nhsNumber","dateOfBirth","surnames","practice","restricted","deceased","replacedBy","invalidated"}`, of which only
 * the number is always needed. Throws `RegisterFault` at the first entry that cannot be read, or is there twice.
 */
export function readRegister(text: string): ReadonlyMap<NhsNumber, RegisterEntry> {
  const entries = new Map<NhsNumber, RegisterEntry>();
  for (const placed of isBundle(text) ? bundleEntries(text) : lineEntries(text)) put(entries, placed);
  return entries;
}

function put(entries: Map<NhsNumber, RegisterEntry>, { where, value }: Placed): void {
  const read = readEntry(value);
  if (read === undefined) throw new RegisterFault(`${where} is not an entry of a register`);
  const [nhsNumber, entry] = read;
  if (entries.has(nhsNumber)) throw new RegisterFault(`${where} repeats the number of an earlier entry`);
  entries.set(nhsNumber, entry);
}

/**
 * The same of lines as they come. Lines are taken one by one, so that others have their turn between them; a Bundle is
 * collected and read at once.
 */
export async function readRegisterLines(lines: AsyncIterable<string>): Promise<ReadonlyMap<NhsNumber, RegisterEntry>> {
  const entries = new Map<NhsNumber, RegisterEntry>();
  const bundle: string[] = [];
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (bundle.length > 0 || (entries.size === 0 && isBundle(line))) bundle.push(line);
    else if (line.trim() !== '') put(entries, { where: `line ${number}`, value: parse(line) });
  }
  return bundle.length > 0 ? readRegister(bundle.join('\n')) : entries;
}

interface Placed {
  readonly where: string;
  readonly value: unknown;
}

/** A Bundle may be spread over many lines; a register of lines has an object on its first. */
function isBundle(text: string): boolean {
  const end = text.indexOf('\n');
  const first = parse(end === -1 ? text : text.slice(0, end));
  return first === undefined ? /^\s*\{/.test(text) : textOf(first, 'resourceType') === 'Bundle';
}

function* bundleEntries(text: string): Generator<Placed> {
  const bundle = parse(text);
  if (textOf(bundle, 'resourceType') !== 'Bundle')
    throw new RegisterFault('the file is neither a Bundle nor lines of JSON');
  for (const [index, entry] of listOf(bundle, 'entry').entries()) {
    yield { where: `entry ${index + 1}`, value: memberOf(entry, 'resource') };
  }
}

function* lineEntries(text: string): Generator<Placed> {
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() !== '') yield { where: `line ${index + 1}`, value: parse(line) };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readEntry(value: unknown): readonly [NhsNumber, RegisterEntry] | undefined {
  return memberOf(value, 'resourceType') === undefined ? readLine(value) : readResource(value);
}

function readResource(value: unknown): readonly [NhsNumber, RegisterEntry] | undefined {
  const record = readPatient(value);
  if (record === undefined) return undefined;
  const link = listOf(value, 'link').find((candidate) => textOf(candidate, 'type') === 'replaced-by');
  if (link === undefined) return [record.nhsNumber, { kind: 'person', record }];
  const by = parseNhsNumber(textOf(memberOf(memberOf(link, 'other'), 'identifier'), 'value') ?? '');
  return by === undefined ? undefined : [record.nhsNumber, { kind: 'superseded', by }];
}

function readLine(value: unknown): readonly [NhsNumber, RegisterEntry] | undefined {
  const nhsNumber = parseNhsNumber(textOf(value, 'nhsNumber') ?? '');
  if (nhsNumber === undefined) return undefined;
  if (memberOf(value, 'invalidated') === true) return [nhsNumber, { kind: 'invalidated' }];
  const replacedBy = textOf(value, 'replacedBy');
  if (replacedBy !== undefined) {
    const by = parseNhsNumber(replacedBy);
    return by === undefined ? undefined : [nhsNumber, { kind: 'superseded', by }];
  }
  const birthDate = parseCalendarDate(textOf(value, 'dateOfBirth') ?? '');
  const surnames = listOf(value, 'surnames').filter((name) => typeof name === 'string');
  const practice = textOf(value, 'practice')?.toUpperCase();
  const isPractice = practice === undefined || /^[A-Z0-9]{3,10}$/.test(practice);
  if (birthDate === undefined || surnames.length === 0 || !isPractice) return undefined;
  const practices = practice === undefined ? [] : [{ practice, from: null, to: null }];
  const isRestricted = memberOf(value, 'restricted') === true;
  const isDeceased = memberOf(value, 'deceased') === true;
  return [
    nhsNumber,
    { kind: 'person', record: { nhsNumber, birthDate, surnames, isRestricted, isDeceased, practices } },
  ];
}
