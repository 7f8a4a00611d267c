import { fhir, operationOutcome, type StandIn, type StandInAnswer, type StandInRequest } from './json-answer.ts';
import { type FixturePatient, patientResource } from './patients.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The demographics API: `GET …/Patient/{number}`, its headers and its errors. */
export function createDemographicsStandIn(
  patients: readonly FixturePatient[],
  options: { readonly path: string; readonly letsIn: (request: StandInRequest) => boolean },
): StandIn {
  const byNumber = new Map(patients.map((patient) => [patient.nhsNumber, patient]));

  const tell = (nhsNumber: string): StandInAnswer => {
    const found = byNumber.get(nhsNumber);
    if (found === undefined) return operationOutcome(404, 'RESOURCE_NOT_FOUND');
    const { supersededBy, status, code, text, retryAfterSeconds } = found;
    // The record of the number in use is the answer, and says which that is.
    if (supersededBy !== undefined) return tell(supersededBy);
    if (status === undefined) return fhir(200, patientResource(found), { etag: 'W/"2"' });
    const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
    if (text !== undefined) return { status, headers, body: text };
    return operationOutcome(status, code ?? 'UNAVAILABLE', headers);
  };

  return {
    name: 'demographics',
    path: options.path,
    answer(request) {
      const { method, url, header } = request;
      const [, nhsNumber] = /^\/Patient\/([^/]+)$/.exec(url.pathname.slice(options.path.length)) ?? [];
      if (method !== 'GET' || nhsNumber === undefined) return operationOutcome(404, 'UNSUPPORTED_SERVICE');
      if (!options.letsIn(request)) return operationOutcome(401, 'ACCESS_DENIED');
      const requestId = header('x-request-id');
      if (requestId === undefined) return operationOutcome(400, 'MISSING_VALUE');
      if (!uuid.test(requestId)) return operationOutcome(400, 'INVALID_VALUE');
      return isNhsNumber(nhsNumber) ? tell(nhsNumber) : operationOutcome(400, 'INVALID_RESOURCE_ID');
    },
  };
}

/** Written out on its own: a stand-in that used the caller's check would not notice what the caller gets wrong. */
function isNhsNumber(text: string): boolean {
  if (!/^\d{10}$/.test(text)) return false;
  const digits = Array.from(text, Number);
  const sum = digits.slice(0, 9).reduce((total, digit, index) => total + digit * (10 - index), 0);
  return (11 - (sum % 11)) % 11 === digits[9];
}
