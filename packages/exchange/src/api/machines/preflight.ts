import type { ErrorName, ErrorParameters } from '@openmesh/protocol';
import { errorEntry, errorText, type Profile, parseSendHeaders, type RequestFailure } from '@openmesh/protocol';
import type { Decision, Route } from '../../message/route.ts';
import { type ReadingOperation, refuseAs, reply } from './request.ts';

/** How large the message would be, in bytes over all its chunks; an extension, like the operation. */
const sizeHeader = 'openmesh-message-bytes';

interface Preflight {
  readonly accepted: boolean;
  /** As addressed: where rules would take it is nothing its sender is told. */
  readonly recipient?: string;
  readonly recipient_name?: string;
  readonly errors: readonly {
    readonly event: string;
    readonly code: string;
    readonly msg: string;
    readonly hint: string;
  }[];
  readonly warnings: readonly string[];
}

function errorOf(name: ErrorName, parameters?: ErrorParameters): Preflight['errors'][number] {
  const { event, code, hint } = errorEntry(name);
  return { event, code, msg: errorText(name, parameters), hint };
}

function view(decision: Decision): Preflight {
  switch (decision.kind) {
    // A patient's practice is found later: what can be said now is that the address and the workflow go together.
    case 'resolve':
      return { accepted: true, errors: [], warnings: [] };
    case 'refuse':
      return { accepted: false, errors: [errorOf(decision.error, decision.parameters)], warnings: [] };
    case 'report':
      return { accepted: true, ...named(decision), errors: [errorOf(decision.error)], warnings: [] };
    case 'deliver': {
      const warnings = decision.deprecated ? ['deprecated-workflow'] : [];
      return { accepted: true, ...named(decision), errors: [], warnings };
    }
  }
}

function named({ addressed }: { readonly addressed: { readonly mailboxId: string; readonly name: string } }) {
  return { recipient: addressed.mailboxId, recipient_name: addressed.name };
}

function ofHeaders(failure: Extract<RequestFailure, { kind: 'error' }>): Preflight {
  return { accepted: false, errors: [errorOf(failure.name, failure.parameters)], warnings: [] };
}

function readSize(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/**
 * `POST /messageexchange/{mailbox}/preflight`, an extension: with the headers of a send and no body, answers whether that
 * send would be accepted, and why not. Decides as a send does and writes nothing. The address is in a header and not in
 * the URL, for it may be a patient's.
 */
export function preflight(route: Route, options: { readonly profile: Profile }): ReadingOperation {
  return {
    name: 'preflight',
    access: 'token',
    commitsNonce: false,
    handle({ mailbox: sender, header }) {
      const reading = parseSendHeaders(header, { sender, profile: options.profile });
      if (!reading.ok && reading.failure.kind === 'validation') {
        return Promise.resolve(refuseAs(reading.failure, 'the headers of the message were refused'));
      }
      const found = reading.ok
        ? view(route({ sender, ...reading.send, sizeBytes: readSize(header(sizeHeader)) }))
        : ofHeaders(reading.failure as Extract<RequestFailure, { kind: 'error' }>);
      return Promise.resolve(reply({ status: 200, contentType: 'application/json', body: JSON.stringify(found) }));
    },
  };
}
