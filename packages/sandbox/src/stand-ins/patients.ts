import { readFileSync } from 'node:fs';

/** One number and what the demographics stand-in says of it: a person, another number, or an error. */
export interface FixturePatient {
  readonly says: string;
  readonly nhsNumber: string;
  readonly surnames?: readonly string[];
  readonly birthDate?: string;
  readonly practice?: string;
  readonly practiceFrom?: string;
  readonly practiceTo?: string;
  readonly restricted?: boolean;
  readonly deceased?: string;
  readonly supersededBy?: string;
  readonly status?: number;
  readonly code?: string;
  readonly text?: string;
  readonly retryAfterSeconds?: number;
}

const shipped = new URL('../../fixtures/stand-ins/patients.json', import.meta.url);

export function readPatients(): readonly FixturePatient[] {
  return JSON.parse(readFileSync(shipped, 'utf8')) as FixturePatient[];
}

const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const registeredFrom = '2015-04-01';

/** The record as the service shows it; of a restricted one, nothing that says where the person is. */
export function patientResource(patient: FixturePatient): object {
  const { nhsNumber, surnames = [], birthDate, practice, restricted = false, deceased } = patient;
  const security = restricted ? { code: 'R', display: 'restricted' } : { code: 'U', display: 'unrestricted' };
  const period = {
    start: patient.practiceFrom ?? registeredFrom,
    ...(patient.practiceTo && { end: patient.practiceTo }),
  };
  const registered = { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: practice, period };
  return {
    resourceType: 'Patient',
    id: nhsNumber,
    identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }],
    meta: { versionId: '2', security: [{ system: confidentiality, ...security }] },
    ...(surnames.length > 0 && {
      name: surnames.map((family, at) => ({ id: `n${at}`, use: at === 0 ? 'usual' : 'maiden', family })),
    }),
    ...(birthDate && { birthDate }),
    ...(deceased && { deceasedDateTime: `${deceased}T00:00:00+00:00` }),
    ...(practice &&
      !restricted && {
        generalPractitioner: [{ id: 'g0', type: 'Organization', identifier: registered }],
      }),
  };
}
