import type { IncomingMessage } from 'node:http';

/** What a stand-in answers. */
export interface StandInAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface StandInRequest {
  readonly method: string;
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
}

/** Answers requests whose path begins as it says; the rest of the path is its own to read. */
export interface StandIn {
  readonly name: 'token' | 'demographics' | 'organisations';
  readonly path: string;
  answer(request: StandInRequest): StandInAnswer;
}

export function fhir(status: number, resource: object, headers: Readonly<Record<string, string>> = {}): StandInAnswer {
  return { status, headers: { 'content-type': 'application/fhir+json', ...headers }, body: JSON.stringify(resource) };
}

/** A FHIR error as the services word it. */
export function operationOutcome(
  status: number,
  code: string,
  headers?: Readonly<Record<string, string>>,
): StandInAnswer {
  const coding = { system: 'https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode', version: '1', code };
  const issue = [{ severity: 'error', code: 'processing', details: { coding: [coding] } }];
  return fhir(status, { resourceType: 'OperationOutcome', issue }, headers);
}

const bodyBytesMax = 65_536;

export async function readRequest(incoming: IncomingMessage, origin: string): Promise<StandInRequest> {
  let body = '';
  for await (const piece of incoming) {
    body += String(piece);
    if (body.length > bodyBytesMax) throw new Error('a request larger than any that a stand-in needs');
  }
  const { method = '', url = '/', headers } = incoming;
  return { method, url: new URL(url, origin), header: (name) => headers[name] as string | undefined, body };
}
