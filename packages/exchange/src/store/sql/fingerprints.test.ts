import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Fingerprint, FingerprintSet } from './fingerprints.ts';

const half = fc.integer({ min: 0, max: 0xffff_ffff });
/** Few values, so that many share a slot and some are added twice. */
const crowded = fc.record({ high: fc.integer({ min: 0, max: 7 }), low: fc.integer({ min: 1, max: 64 }) });
const spread = fc.record({ high: half, low: half.filter((low) => low !== 0) });
const nameOf = ({ high, low }: Fingerprint): string => `${high}:${low}`;
const printOf = (n: number): Fingerprint => ({ high: n >>> 5, low: Math.imul(n, 0x9e37_79b1) >>> 0 || 1 });

it('finds what was added with the note it was first added with, and nothing else', () => {
  const members = fc.array(fc.tuple(fc.oneof(crowded, spread), half), { maxLength: 500 });
  fc.assert(
    fc.property(members, fc.array(fc.oneof(crowded, spread)), (added, others) => {
      const set = new FingerprintSet();
      const model = new Map<string, number>();
      for (const [print, note] of added) {
        set.add(print, note);
        if (!model.has(nameOf(print))) model.set(nameOf(print), note);
      }
      for (const print of [...added.map(([each]) => each), ...others]) {
        expect(set.find(print)).toBe(model.get(nameOf(print)));
      }
    }),
  );
});

it('finds each of many times more than its first segment holds', () => {
  const set = new FingerprintSet();
  const many = 200_000;
  for (let n = 1; n <= many; n += 1) set.add(printOf(n), n);
  const lost = Array.from({ length: many }, (_, n) => n + 1).filter((n) => set.find(printOf(n)) !== n);
  expect(lost).toEqual([]);
  expect(set.find(printOf(many + 1))).toBeUndefined();
});
