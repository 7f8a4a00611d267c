import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ResponseParser } from './response-parser.ts';

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

function parse(pieces: readonly Buffer[]): { readonly answers: Answer[]; readonly idle: boolean } {
  const answers: Answer[] = [];
  let current = { status: 0, head: '', body: '' };
  const parser = new ResponseParser({
    head: (status, head) => {
      current = { status, head, body: '' };
    },
    body: (bytes, start, end) => {
      current.body += bytes.toString('latin1', start, end);
    },
    end: () => {
      answers.push(current);
    },
  });
  for (const piece of pieces) parser.push(piece, piece.length);
  return { answers, idle: parser.idle };
}

const wire = [
  'HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\nfirst',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx: y\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 206 Partial Content\r\ncontent-length: 9\r\n\r\n\r\n\r\nthird',
].join('');

const expected = [
  { status: 202, body: 'first' },
  { status: 200, body: '' },
  { status: 204, body: '' },
  { status: 206, body: '\r\n\r\nthird' },
];

describe('the answer parser of the load generator', () => {
  it('finds the same answers however the bytes are cut', () => {
    const bytes = Buffer.from(wire, 'latin1');
    assert(
      property(array(integer({ min: 0, max: bytes.length }), { maxLength: 30 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        const { answers, idle } = parse(pieces);
        expect(answers.map(({ status, body }) => ({ status, body }))).toEqual(expected);
        expect(idle).toBe(true);
      }),
    );
  });

  it('hands over the head as it was on the wire, without the empty line', () => {
    const { answers } = parse([Buffer.from('HTTP/1.1 200 OK\r\nmex-to: A\r\ncontent-length: 0\r\n\r\n')]);
    expect(answers[0]?.head).toBe('HTTP/1.1 200 OK\r\nmex-to: A\r\ncontent-length: 0');
  });

  it('knows when an answer is incomplete, so that a cut connection is not taken for success', () => {
    expect(parse([Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab')]).idle).toBe(false);
    expect(parse([Buffer.from('HTTP/1.1 200 OK\r\ncontent-le')]).idle).toBe(false);
  });

  it('refuses what it cannot count: no length, no HTTP, headers without end', () => {
    expect(() => parse([Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')])).toThrow(
      'no content-length',
    );
    expect(() => parse([Buffer.from('SSH-2.0-OpenSSH_9.2\r\n\r\n')])).toThrow('not an HTTP/1.1 answer');
    expect(() => parse([Buffer.from(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(70_000)}`)])).toThrow('exceed');
  });
});
