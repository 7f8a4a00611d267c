import { describe, expect, it } from 'vitest';
import type { BodyRef } from '../bodies.ts';
import { newPlace, placeOfRef, refOf } from './body-key.ts';

describe('body keys', () => {
  it('carry the UTC day, the fan-out and the moment of creation, and lead back to their place', () => {
    const nowMs = Date.UTC(2026, 10, 21, 23, 59, 59, 999);
    const place = newPlace(nowMs, 'c0ffee0123456789');
    expect(refOf(place)).toBe('20261121/c0/86399999-c0ffee0123456789');
    expect(placeOfRef(refOf(place))).toEqual({ ...place, createdAtMs: nowMs });
  });

  it.each(['short', 'UPPERCASE0123456', '../../../../etc/x', 'ab/cdef0123456789', ''])(
    'are not made of the random text %j',
    (random) => {
      expect(() => newPlace(0, random)).toThrow(RangeError);
    },
  );

  it.each([
    '../../etc/passwd',
    '20261121/c0',
    '20261121/c0/86399999-c0ffee0123456789/x',
    '20261121/c1/86399999-c0ffee0123456789',
    '20261121/../86399999-c0ffee0123456789',
    '20261399/c0/86399999-c0ffee0123456789',
    '/20261121/c0/86399999-c0ffee0123456789',
    '20261121/c0/86399999-c0ffee0123456789\0',
    '',
  ])('never lead out of the store: %j has no place', (ref) => {
    expect(placeOfRef(ref as BodyRef)).toBeUndefined();
  });
});
