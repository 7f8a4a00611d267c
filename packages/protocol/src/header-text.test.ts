import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHeaderText, toHeaderText } from './header-text.ts';

const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 40 });

describe('text that becomes a header', () => {
  it('holds nothing but what a header may hold, whatever it was', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(toHeaderText(text)).toMatch(/^[\u0020-\u007e\u0080-\u00ff]*$/);
      }),
    );
  });

  it('is read back by people as it was written', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', '%', '1', 'Ω', '日', '𝄞'), maxLength: 20 });
    fc.assert(
      fc.property(texts, (text) => {
        expect(fromHeaderText(toHeaderText(text))).toBe(text);
      }),
    );
  });

  it('cannot smuggle a second header in', () => {
    expect(toHeaderText('a\r\nmex-to: X26')).toBe('a  mex-to: X26');
  });
});

describe('header text that is shown', () => {
  it('is Latin-1 unless its bytes are UTF-8', () => {
    expect([fromHeaderText('£5'), fromHeaderText('Â£5'), fromHeaderText('50% é')]).toEqual(['£5', '£5', '50% é']);
  });

  it('is shown whatever the bytes are', () => {
    fc.assert(fc.property(anyText, (wire) => typeof fromHeaderText(wire) === 'string'));
  });
});
