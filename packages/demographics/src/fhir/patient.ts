import { type CalendarDate, parseCalendarDate } from '../calendar-date.ts';
import { parseNhsNumber } from '../nhs-number.ts';
import type { PatientRecord, PracticeRegistration } from '../patient-record.ts';
import { listOf, listOrNothing, memberOf, textOf } from '../read-members.ts';

/** Codes of confidentiality under which the service withholds where a person can be found. */
const restrictedCodes = new Set(['R', 'V', 'REDACTED']);
const namesMax = 100;
const practicesMax = 100;

/** Reads a FHIR R4 Patient; undefined when it is not one, or says something that cannot be understood. */
export function readPatient(resource: unknown): PatientRecord | undefined {
  if (textOf(resource, 'resourceType') !== 'Patient') return undefined;
  const nhsNumber = parseNhsNumber(textOf(resource, 'id') ?? '');
  const names = listOf(resource, 'name');
  const practices = readPractices(listOrNothing(resource, 'generalPractitioner'));
  if (nhsNumber === undefined || practices === undefined || names.length > namesMax) return undefined;
  const security = listOf(memberOf(resource, 'meta'), 'security').map((label) => textOf(label, 'code'));
  return {
    nhsNumber,
    birthDate: textOf(resource, 'birthDate') ?? '',
    surnames: names.map((name) => textOf(name, 'family')).filter((family) => family !== undefined),
    isRestricted: security.some((code) => code !== undefined && restrictedCodes.has(code)),
    isDeceased: textOf(resource, 'deceasedDateTime') !== undefined || memberOf(resource, 'deceasedBoolean') === true,
    practices,
  };
}

/** A practice that cannot be read must not pass for "no practice": the whole answer is refused. */
function readPractices(entries: readonly unknown[] | undefined): readonly PracticeRegistration[] | undefined {
  if (entries === undefined || entries.length > practicesMax) return undefined;
  const practices: PracticeRegistration[] = [];
  for (const entry of entries) {
    const identifier = memberOf(entry, 'identifier');
    const practice = textOf(identifier, 'value')?.toUpperCase();
    if (practice === undefined || !/^[A-Z0-9]{3,10}$/.test(practice)) return undefined;
    const period = memberOf(identifier, 'period');
    const from = readDay(textOf(period, 'start'));
    const to = readDay(textOf(period, 'end'));
    if (from === undefined || to === undefined) return undefined;
    practices.push({ practice, from, to });
  }
  return practices;
}

/** The day of a date or of a moment; null when none was given. */
function readDay(text: string | undefined): CalendarDate | null | undefined {
  return text === undefined ? null : parseCalendarDate(text.slice(0, 10));
}

/** The code of an OperationOutcome's first issue; undefined when the body is none. */
export function readOutcomeCode(resource: unknown): string | undefined {
  if (textOf(resource, 'resourceType') !== 'OperationOutcome') return undefined;
  const [issue] = listOf(resource, 'issue');
  const codings = listOf(memberOf(issue, 'details'), 'coding');
  return codings.map((coding) => textOf(coding, 'code')).find((code) => code !== undefined);
}
