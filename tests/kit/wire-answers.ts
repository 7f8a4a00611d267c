import { expect } from 'vitest';
import { jsonOf, type MeshReply } from './mesh-client.ts';

export interface ErrorWords {
  readonly event: string;
  readonly code: string;
  readonly text: string;
}

export interface ExpectedError extends Partial<ErrorWords> {
  readonly status: number;
  readonly text: string;
}

export const versions = [1, 2] as const;
export const bothRules = ['live', 'sandbox'] as const;

/**
 * Holds an answer to the error shape of its version, with nothing else in it than the id of the message it is about,
 * when there is one. Answers that id.
 */
export function expectError(reply: MeshReply, version: 1 | 2, expected: ExpectedError): string | undefined {
  const { status, event = '', code = '', text } = expected;
  const body = jsonOf(reply) as Readonly<Record<string, unknown>>;
  const idMember = version === 1 ? 'messageID' : 'message_id';
  const { [idMember]: id, ...words } = body;
  expect({ status: reply.status, words }).toEqual({
    status,
    words:
      version === 1
        ? { errorEvent: event, errorCode: code, errorDescription: text }
        : { detail: [{ event, code, msg: text }] },
  });
  expect(reply.headers['content-type']).toBe(version === 1 ? 'application/json' : 'application/vnd.mesh.v2+json');
  if (id !== undefined && typeof id !== 'string') throw new TypeError('the id of an error is not a text');
  return id;
}

export interface ExpectedDetail {
  readonly type: string;
  readonly loc: readonly string[];
  readonly msg?: string;
}

/** Holds an answer to the validation shape, which is the same in both versions: these fields, all of them, no other. */
export function expectInvalid(reply: MeshReply, fields: readonly ExpectedDetail[]): void {
  expect({ status: reply.status, type: reply.headers['content-type'] }).toEqual({
    status: 400,
    type: 'application/json',
  });
  const { detail } = jsonOf(reply) as { readonly detail: readonly Readonly<Record<string, unknown>>[] };
  expect(detail).toEqual(fields.map((field) => expect.objectContaining({ msg: expect.any(String), ...field })));
}
