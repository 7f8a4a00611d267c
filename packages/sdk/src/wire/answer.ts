import type { IncomingMessage } from 'node:http';
import { clientError } from '../errors/client-errors.ts';
import type { OperationName } from '../errors/mesh-error.ts';

/** Headers of an answer by lower-case name, text as Latin-1; of a repeated name the first counts. */
export type AnswerHeaders = ReadonlyMap<string, string>;

/** Headers have come; the body is still to be read or given up. */
export interface Answer {
  readonly operation: OperationName;
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: IncomingMessage;
  /** Ends the request and its connection, unless the body has been read to its end. */
  cancel(): void;
  /** Why reading the body failed, as the error to throw. */
  explain(error: unknown): Error;
}

export function readHeaders(response: IncomingMessage): AnswerHeaders {
  const headers = new Map<string, string>();
  const { rawHeaders } = response;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!headers.has(name)) headers.set(name, rawHeaders[at + 1] ?? '');
  }
  return headers;
}

/** The blocks of a body, as they come. A cut connection throws; leaving the loop early ends the request. */
export async function* bodyBlocks(answer: Answer): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const block of answer.body as AsyncIterable<Buffer>) yield block;
    // A body that is delimited by the end of its connection cannot be told from one that was cut.
    if (!answer.body.complete) throw clientError('answer-lost', answer.operation);
  } catch (error) {
    throw answer.explain(error);
  } finally {
    answer.cancel();
  }
}

/** The whole body, up to a limit; beyond it throws `answer-too-large`. */
export async function readBounded(answer: Answer, bytesMax: number, limitName: string): Promise<Buffer> {
  const blocks: Buffer[] = [];
  let size = 0;
  for await (const block of bodyBlocks(answer)) {
    size += block.length;
    if (size > bytesMax) {
      throw clientError('answer-too-large', answer.operation, { detail: `${limitName} is ${bytesMax} bytes` });
    }
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

/** The body as JSON of any shape. Throws `unexpected-answer` when it is none. */
export async function readJson(answer: Answer, bytesMax: number): Promise<unknown> {
  const body = await readBounded(answer, bytesMax, 'the limit jsonBytes');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw clientError('unexpected-answer', answer.operation, { detail: 'it is not JSON', status: answer.status });
  }
}

/** Reads a short body to its end so that the connection can be used again, and forgets it. */
export async function discardBody(answer: Answer, bytesMax: number): Promise<void> {
  let size = 0;
  for await (const block of bodyBlocks(answer)) {
    size += block.length;
    if (size > bytesMax) return;
  }
}
