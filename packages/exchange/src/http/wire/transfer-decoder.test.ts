import { array, assert, integer, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransferDecoder } from './transfer-decoder.ts';

function decode(decoder: TransferDecoder, bytes: Buffer): { used: number; body: Buffer } {
  const pieces: Buffer[] = [];
  const used = decoder.push(bytes, (piece) => void pieces.push(Buffer.from(piece)));
  return { used, body: Buffer.concat(pieces) };
}

function encode(chunks: readonly Uint8Array[]): Buffer {
  const coded = chunks
    .filter(({ length }) => length > 0)
    .flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
  return Buffer.concat([...coded, Buffer.from('0\r\n\r\n')]);
}

describe('the chunked transfer coding', () => {
  it('gives the body back however it was chunked and cut, and leaves what follows', () => {
    const next = Buffer.from('GET / HTTP/1.1\r\n\r\n');
    assert(
      property(array(uint8Array({ maxLength: 50 })), array(integer({ min: 1, max: 30 })), (chunks, cuts) => {
        const decoder = new TransferDecoder();
        const coded = encode(chunks);
        const all = Buffer.concat([coded, next]);
        const bodies: Buffer[] = [];
        let at = 0;
        for (let turn = 0; !decoder.ended; turn += 1) {
          const { used, body } = decode(decoder, all.subarray(at, at + (cuts[turn % cuts.length] ?? 7)));
          expect(used).toBeGreaterThan(0);
          bodies.push(body);
          at += used;
        }
        expect(at).toBe(coded.length);
        expect(Buffer.concat(bodies)).toEqual(Buffer.concat(chunks));
      }),
    );
  });

  it('reads and drops extensions and trailers', () => {
    const { body } = decode(new TransferDecoder(), Buffer.from('3;a="b";c\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n'));
    expect(body.toString()).toBe('abc');
  });

  it.each([
    'x\r\n',
    '\r\n',
    '3\nabc\r\n',
    '3\r\nabcd\r\n',
    '-1\r\n',
    '0x1\r\n',
    '+1\r\n',
    '1 2\r\n',
    '1\0\r\n',
    `${'f'.repeat(13)}\r\n`,
    `1;${'e'.repeat(2000)}`,
    '0\r\nno trailer\r\n\r\n',
    `0\r\n${`x: ${'t'.repeat(900)}\r\n`.repeat(12)}\r\n`,
  ])('refuses %j', (text) => {
    expect(decode(new TransferDecoder(), Buffer.from(text, 'latin1')).used).toBe(-1);
  });
});
