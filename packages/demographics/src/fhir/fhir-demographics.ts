import { dayInEngland } from '../calendar-date.ts';
import type { Demographics, TraceOutcome, TraceQuestion } from '../demographics.ts';
import { judge } from '../patient-record.ts';
import type { FhirAnswer, FhirService } from '../service/fhir-service.ts';
import type { SurnameMatch } from '../surname.ts';
import { readOutcomeCode, readPatient } from './patient.ts';

export interface FhirDemographicsOptions {
  /** The demographics API, at the address that ends in `/FHIR/R4`. */
  readonly service: FhirService;
  readonly surnameMatch: SurnameMatch;
  readonly clock: { nowMs(): number };
}

/**
 * The demographics API in FHIR R4: `GET /Patient/{number}`, and the comparison made here, because a search by an
 * application finds one exact match or nothing and could not tell a wrong surname from a wrong number.
 */
export function createFhirDemographics({ service, surnameMatch, clock }: FhirDemographicsOptions): Demographics {
  return {
    async trace(question, { correlationId, signal }) {
      const answer = await service.get(`/Patient/${question.nhsNumber}`, { correlationId, signal });
      const rules = { surnameMatch, today: dayInEngland(clock.nowMs()) };
      return answer.kind === 'unavailable' ? answer : read(question, answer, rules);
    },
    close: () => service.close(),
  };
}

function read(
  question: TraceQuestion,
  { status, body }: Extract<FhirAnswer, { kind: 'answer' }>,
  rules: Parameters<typeof judge>[2],
): TraceOutcome {
  if (status === 200) {
    const record = readPatient(body);
    return record === undefined ? notUnderstood('malformed-answer') : judge(question, record, rules);
  }
  switch (readOutcomeCode(body)) {
    case 'RESOURCE_NOT_FOUND':
      return { kind: 'not-found', why: 'unknown' };
    case 'INVALIDATED_RESOURCE':
      return { kind: 'not-found', why: 'invalidated' };
    case 'INVALID_RESOURCE_ID':
      return { kind: 'invalid-number' };
    case 'TOO_MANY_MATCHES':
      return { kind: 'mismatch' };
    // A 404 of whoever stands in between says nothing of the person.
    default:
      return notUnderstood('unexpected-answer');
  }
}

function notUnderstood(reason: 'malformed-answer' | 'unexpected-answer'): TraceOutcome {
  return { kind: 'unavailable', reason, retryAfterMs: null };
}
