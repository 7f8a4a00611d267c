import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptsGzip, jsonContentType, negotiateVersion } from './accept.ts';

// Any UTF-16 text, lone surrogates included.
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 60 });

describe('version negotiation', () => {
  it('gives the version whose content type was asked for', () => {
    for (const version of [1, 2] as const) expect(negotiateVersion(jsonContentType(version))).toBe(version);
  });

  it('answers every header that names no mesh type with version 1', () => {
    fc.assert(
      fc.property(anyText, (accept) => {
        fc.pre(!accept.toLowerCase().includes('vnd.mesh'));
        expect(negotiateVersion(accept)).toBe(1);
      }),
    );
  });

  it('does not depend on the order of a list', () => {
    const types = fc.shuffledSubarray([
      'application/json',
      'application/vnd.mesh.v1+json',
      'application/vnd.mesh.v2+json;q=0.1',
      'application/vnd.mesh.vX+json',
      'text/html',
    ]);
    fc.assert(
      fc.property(types, (list) => {
        expect(negotiateVersion(list.join(', '))).toBe(negotiateVersion(list.toReversed().join(',')));
      }),
    );
  });
});

describe('gzip', () => {
  it('is used exactly when its weight is above zero, wherever it stands in the list', () => {
    const others = fc.array(fc.constantFrom('br', 'deflate;q=0.3', 'identity', '*;q=0'), { maxLength: 3 });
    fc.assert(
      fc.property(others, others, fc.integer({ min: 0, max: 1000 }), (before, after, thousandths) => {
        const list = [...before, `gzip;q=${(thousandths / 1000).toFixed(3)}`, ...after].join(', ');
        expect(acceptsGzip(list)).toBe(thousandths > 0);
      }),
    );
  });
});
