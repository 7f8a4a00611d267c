import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMessageId } from './identifiers.ts';
import { createInternalIds, createMessageIds } from './message-ids.ts';

const anyMicros = fc.integer({ min: 0, max: 4_000_000_000_000_000 });

function idsFrom(clock: readonly number[], tail = '3573F8'): readonly string[] {
  const times = clock.values();
  const next = createMessageIds({ nowMicros: () => times.next().value ?? 0, randomHex6: () => tail });
  return clock.map(() => next());
}

describe('message ids', () => {
  it('sort in the order they were made and never repeat, whatever the clock does and were every tail the same', () => {
    fc.assert(
      fc.property(fc.array(anyMicros, { minLength: 2, maxLength: 50 }), (clock) => {
        const ids = idsFrom(clock);
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids.map((id) => id.slice(0, 20))).size).toBe(ids.length);
      }),
    );
  });

  it('have the twenty digits and six hexadecimal digits of the specification, and read back as themselves', () => {
    fc.assert(
      fc.property(anyMicros, (micros) => {
        const [id = ''] = idsFrom([micros]);
        expect(id).toMatch(/^\d{20}_[0-9A-F]{6}$/);
        expect(parseMessageId(id)).toBe(id);
      }),
    );
  });

  it('take a clock that counts in big integers or in fractions', () => {
    const big = createMessageIds({ nowMicros: () => 1_700_820_965_283_253n, randomHex6: () => 'ec7d79' });
    const fraction = createMessageIds({ nowMicros: () => 1_700_820_965_283_253.75, randomHex6: () => 'ec7d79' });
    expect([big(), fraction()]).toEqual(['20231124101605283253_EC7D79', '20231124101605283253_EC7D79']);
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('are not made of a clock that shows %s', (micros) => {
    expect(() => idsFrom([micros])).toThrow(RangeError);
  });

  it.each(['', '12345', '1234567', 'GGGGGG', 'ſſſſſſ'])('are not made of the tail "%s"', (tail) => {
    expect(() => idsFrom([0], tail)).toThrow(RangeError);
  });
});

describe('internal ids', () => {
  it('have seventeen digits of time and eight lower-case hexadecimal digits', () => {
    const next = createInternalIds({ nowMs: () => 1_682_759_721_807, randomHex8: () => 'C324D39D' });
    expect(next()).toBe('20230429091521807_c324d39d');
  });
});
