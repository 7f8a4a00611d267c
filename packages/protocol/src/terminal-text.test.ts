import { assert, jsonValue, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { terminalJson, terminalText } from './terminal-text.ts';

/** Escape, the same in one character, bell, delete, a return to the line's beginning, and text turned round. */
const hostile = ['\u001b[2J', '\u009b31m', '\u0007', '\u007f', 'shown\rhidden', 'two\nlines', '\u202egpj.exe\u2066'];
const commanding = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;

describe('text on a terminal', () => {
  it.each(hostile)('commands nothing when it is %j', (text) => {
    expect(terminalText(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    const json = terminalJson({ [text]: [text] }, 2);
    expect(json).not.toMatch(commanding);
    expect(JSON.parse(json)).toEqual({ [text]: [text] });
  });

  it('is what it was when it commands nothing', () => {
    const text = 'Überweisung – 診断 שלום €';
    expect(terminalText(text)).toBe(text);
    expect(terminalJson([text])).toBe(JSON.stringify([text]));
  });

  it('keeps every value in JSON, and commands nothing, whatever it is', () => {
    assert(property(string({ unit: 'binary' }), (text) => !/[\p{Cc}\p{Bidi_Control}]/u.test(terminalText(text))));
    assert(
      property(jsonValue({ stringUnit: 'binary' }), (value) => {
        const json = terminalJson(value, 2);
        expect(json).not.toMatch(commanding);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
