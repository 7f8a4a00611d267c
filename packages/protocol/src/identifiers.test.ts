import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChunkNumber, parseMailboxId, parseMessageId } from './identifiers.ts';

// Any UTF-16 text, lone surrogates included.
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 60 });

const canonicalMailbox = /^[A-Z0-9][A-Z0-9_.-]{0,99}$/;
const hostileText = fc.oneof(
  anyText,
  fc.string({
    unit: fc.constantFrom('a', 'S', '1', '_', '.', '-', ' ', 'ſ', 'ı', 'İ', 'K', 'ß', 'Ａ', '\u0000', '/'),
    maxLength: 8,
  }),
);

describe('mailbox ids', () => {
  it('are canonical whatever text they came from, so that two callers never mean one mailbox by two ids', () => {
    fc.assert(
      fc.property(hostileText, (raw) => {
        const id = parseMailboxId(raw);
        if (id === undefined) return;
        expect(id).toMatch(canonicalMailbox);
        expect(parseMailboxId(id)).toBe(id);
      }),
    );
  });

  it('are only made of the ASCII letters, digits and marks that were sent, never folded from other scripts', () => {
    fc.assert(
      fc.property(hostileText, (raw) => {
        const id = parseMailboxId(raw);
        if (id !== undefined) expect(raw.replace(/^[ \t]+|[ \t]+$/g, '')).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
  });

  it('do not depend on the case or the blanks of what was sent', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Z0-9][A-Z0-9_.-]{0,99}$/),
        fc.stringMatching(/^[ \t]{0,3}$/),
        (text, blanks) => {
          const id = parseMailboxId(text);
          expect(parseMailboxId(blanks + text.toLowerCase() + blanks)).toBe(id);
        },
      ),
    );
  });
});

describe('message ids', () => {
  it('are canonical and safe in a path, whatever text they came from', () => {
    fc.assert(
      fc.property(hostileText, (raw) => {
        const id = parseMessageId(raw);
        if (id === undefined) return;
        expect(id).toMatch(/^[A-Z0-9_]{1,100}$/);
        expect(raw).toMatch(/^[A-Za-z0-9_]+$/);
      }),
    );
  });
});

describe('chunk numbers', () => {
  it('read what was written, from 1 to 10000, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: -20_000, max: 20_000 }), (value) => {
        expect(parseChunkNumber(String(value))).toBe(value >= 1 && value <= 10_000 ? value : undefined);
      }),
    );
  });
});
