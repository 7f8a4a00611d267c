import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { array, assert, constantFrom, property, string, stringMatching, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequestHead, type RequestHead } from './request-head.ts';

function read(lines: readonly string[]): RequestHead | string {
  return parseRequestHead(lines.join('\r\n'));
}

function wellRead(lines: readonly string[]): RequestHead {
  const head = read(lines);
  if (typeof head === 'string') throw new Error(`refused: ${head}`);
  return head;
}

const first = 'GET /a?b=c HTTP/1.1';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of memory that are still in use after a task, beyond those before. */
function keptBy(task: () => void): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  task();
  collectGarbage();
  return process.memoryUsage().heapUsed - before;
}

describe('the head of a request', () => {
  // Before all others, for names are remembered up to a number.
  it.each([
    ['names never seen before', (n: number) => `x-never-seen-before-${n}`],
    ['names as long as a head', (n: number) => `x-${n}-${'n'.repeat(100_000)}`],
  ])('leaves nothing in memory once it was read, whatever it held of %s', (_which, name) => {
    const heads = 200;
    const value = 'v'.repeat(100_000);
    const kept = keptBy(() => {
      // From bytes, as they come: a text that is put together would be taken apart again.
      for (let n = 0; n < heads; n += 1) {
        const bytes = Buffer.from([first, `${name(n)}: 1`, `x-filler: ${value}`].join('\r\n'), 'latin1');
        expect(parseRequestHead(bytes.toString('latin1'))).toHaveProperty('method', 'GET');
      }
    });
    expect(kept).toBeLessThan((heads * value.length) / 4);
  });

  it('gives method, target and headers, names in lower case and values without blanks around them', () => {
    const head = wellRead([first, 'MeX-To:\t X26 \t', 'x:', 'Y: \xa0\xff']);
    expect(head).toMatchObject({ method: 'GET', target: '/a?b=c', minorVersion: 1, keepAlive: true });
    expect([...head.headers]).toEqual([
      ['mex-to', 'X26'],
      ['x', ''],
      ['y', '\xa0\xff'],
    ]);
  });

  it.each([
    ['http://exchange:8700/a?b=c', '/a?b=c'],
    ['HTTPS://user@[::1]/http://x', '/http://x'],
    ['/http://x/a', '/http://x/a'],
    ['*', '*'],
  ])('of the target %s is about %s', (written, target) => {
    expect(wellRead([`GET ${written} HTTP/1.1`]).target).toBe(target);
  });

  it.each([
    ['joined by commas', 'mex-x', 'one, two'],
    ['the first only, where two would be neither', 'authorization', 'one'],
  ])('of a header that comes twice gives the values %s', (_what, name, value) => {
    expect(wellRead([first, `${name}: one`, `${name.toUpperCase()}: two`]).headers.get(name)).toBe(value);
  });

  it.each([
    [['content-length: 12'], { kind: 'length', bytes: 12 }],
    [['content-length: 007'], { kind: 'length', bytes: 7 }],
    [['transfer-encoding: Chunked'], { kind: 'chunked' }],
    [[], { kind: 'length', bytes: 0 }],
  ])('with %s says how the body ends', (lines, framing) => {
    expect(wellRead([first, ...lines]).framing).toEqual(framing);
  });

  it.each([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['connection: Close'], false],
    ['HTTP/1.1', ['connection: x, close'], false],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['connection: keep-alive'], true],
  ])('of %s with %s says whether the connection lives on', (version, lines, keepAlive) => {
    expect(wellRead([`GET / ${version}`, ...lines]).keepAlive).toBe(keepAlive);
  });

  it.each([
    'GET / HTTP/1.1\n',
    'GET  / HTTP/1.1',
    'GET / HTTP/1.2',
    'GET / HTTP/2.0',
    'GET / http/1.1',
    'GET /\xe9 HTTP/1.1',
    'GET /a b HTTP/1.1',
    ' GET / HTTP/1.1',
    'G(T / HTTP/1.1',
    '',
  ])('that begins with %j is refused', (line) => {
    expect(read([line, 'host: x'])).toBe('malformed-request');
  });

  it('with more headers than anybody needs is refused as too large', () => {
    const many = Array.from({ length: 2001 }, (_each, at) => `h${at}: v`);
    expect(read([first, ...many])).toBe('headers-too-large');
    expect(read([first, ...many.slice(1)])).toMatchObject({ method: 'GET' });
  });

  it('gives back exactly what was written, for any names and values', () => {
    const name = stringMatching(/^[a-z][a-z0-9-]{0,20}$/).filter(
      (text) => !/^(content-length|transfer-encoding)$/.test(text),
    );
    const value = stringMatching(/^[!-~\xa1-\xff]([ -~\xa1-\xff]{0,40}[!-~\xa1-\xff])?$/);
    assert(
      property(array(tuple(name, value), { maxLength: 20 }), (pairs) => {
        const once = [...new Map(pairs)];
        expect([...wellRead([first, ...once.map(([key, text]) => `${key}: ${text}`)]).headers]).toEqual(once);
      }),
    );
  });

  it('never yields a header whose text holds a line end or a control, whatever comes', () => {
    const piece = constantFrom(
      '\r\n',
      '\r',
      '\n',
      ':',
      ' ',
      '\t',
      '\0',
      'a',
      'content-length',
      '1',
      '\x7f',
      'transfer-encoding',
      'chunked',
    );
    assert(
      property(array(piece, { maxLength: 40 }), string({ unit: 'binary-ascii', maxLength: 20 }), (pieces, tail) => {
        const head = parseRequestHead(`${first}\r\n${pieces.join('')}${tail}`);
        if (typeof head === 'string') return;
        for (const [key, text] of head.headers) expect(key + text).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
      }),
    );
  });
});
