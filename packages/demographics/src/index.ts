export { type BirthDate, type CalendarDate, dayInEngland, parseCalendarDate, readBirthDate } from './calendar-date.ts';
export type {
  Demographics,
  RecordFacts,
  TraceContext,
  TraceOutcome,
  TraceQuestion,
  Unavailable,
  UnavailableReason,
} from './demographics.ts';
export { createFhirDemographics } from './fhir/fhir-demographics.ts';
export { createLocalRegister, loadLocalRegister } from './local/local-register.ts';
export { RegisterFault } from './local/read-register.ts';
export { type NhsNumber, parseNhsNumber } from './nhs-number.ts';
export { listOf, memberOf, textOf } from './read-members.ts';
export { type Access, createKeyAccess, createTokenAccess } from './service/access.ts';
export type { ClientCredentials } from './service/client-assertion.ts';
export { createFhirService, type FhirAnswer, type FhirService } from './service/fhir-service.ts';
export { createHttpsCaller } from './service/https-call.ts';
export { normaliseSurname, type SurnameMatch, surnamesAgree } from './surname.ts';
