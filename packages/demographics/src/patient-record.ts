import type { CalendarDate } from './calendar-date.ts';
import type { RecordFacts, TraceOutcome, TraceQuestion } from './demographics.ts';
import type { NhsNumber } from './nhs-number.ts';
import { type SurnameMatch, surnamesAgree } from './surname.ts';

/** A registration with a practice; null: without that end. */
export interface PracticeRegistration {
  readonly practice: string;
  readonly from: CalendarDate | null;
  readonly to: CalendarDate | null;
}

/** A person's record as far as a trace needs it, whoever keeps it. Personal data. */
export interface PatientRecord {
  readonly nhsNumber: NhsNumber;
  /** As it stands on the record, where it may be a year or a month only. */
  readonly birthDate: string;
  /** Of every name on the record, previous ones included. */
  readonly surnames: readonly string[];
  readonly isRestricted: boolean;
  readonly isDeceased: boolean;
  readonly practices: readonly PracticeRegistration[];
}

/**
 * What a record answers to a question. The date of birth must be the record's to the day, so that a partial date
 * matches nobody; the surname must agree with any name of the record. Only then is anything else told.
 */
export function judge(
  question: TraceQuestion,
  record: PatientRecord,
  rules: { readonly surnameMatch: SurnameMatch; readonly today: CalendarDate },
): TraceOutcome {
  const { nhsNumber, dateOfBirth, surname } = question;
  const isNamed = record.surnames.some((name) => surnamesAgree(surname, name, rules.surnameMatch));
  if (record.birthDate !== dateOfBirth || !isNamed) return { kind: 'mismatch' };
  const facts: RecordFacts = {
    supersededBy: record.nhsNumber === nhsNumber ? null : record.nhsNumber,
    isDeceased: record.isDeceased,
  };
  if (record.isRestricted) return { kind: 'restricted', ...facts };
  const practice = currentPractice(record, rules.today) ?? (record.isDeceased ? lastPractice(record) : undefined);
  return practice === undefined ? { kind: 'no-practice', ...facts } : { kind: 'found', practice, ...facts };
}

function currentPractice({ practices }: PatientRecord, today: CalendarDate): string | undefined {
  return practices.find(({ from, to }) => (from ?? today) <= today && (to ?? today) >= today)?.practice;
}

/** A registration ends with a death; late letters still matter to the practice that knew the person. */
function lastPractice({ practices }: PatientRecord): string | undefined {
  const ended = practices.toSorted((a, b) => ((a.to ?? '9999') < (b.to ?? '9999') ? 1 : -1));
  return ended[0]?.practice;
}
