import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCatalogue, errorEntry, errorNames, errorText, wireError } from './errors.ts';
import { invalidValue, validationError } from './validation.ts';

// Any UTF-16 text, lone surrogates included.
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 60 });

describe('the error catalogue', () => {
  it('gives no status that the service never answers with', () => {
    const statuses = new Set(errorNames.map((name) => errorEntry(name).status));
    expect([401, 409, 415].filter((status) => statuses.has(status))).toEqual([]);
  });

  it('has a hint for people in every entry, and keeps it off the wire', () => {
    for (const name of errorNames) {
      const { hint } = errorCatalogue[name];
      expect(hint.length).toBeGreaterThan(10);
      expect(wireError(name, 2, { text: 'text' }).body).not.toContain(hint);
    }
  });

  it('refuses to write a text with an unfilled place', () => {
    expect(() => errorText('not-collected')).toThrow(RangeError);
    expect(errorText('not-collected', { days: 5 })).toBe('Message not collected by recipient after 5 days');
  });

  it('fills a place with text as it is, patterns of replacement included', () => {
    fc.assert(
      fc.property(anyText, (workflowId) => {
        const text = errorText('civil-registration-not-enabled', { workflowId });
        expect(text).toBe(`ONS Civil Registration for workflowId ${workflowId} is not enabled via MESH`);
      }),
    );
  });
});

describe('error bodies', () => {
  it('are JSON objects without null, whose detail is an array of objects with a msg, in every 4xx of both versions', () => {
    for (const name of errorNames) {
      for (const version of [1, 2] as const) {
        const body = JSON.parse(wireError(name, version, { text: 'text' }).body) as Record<string, unknown>;
        expect(JSON.stringify(body)).not.toContain('null');
        expect(Object.keys(body).length).toBeGreaterThan(0);
        const detail = body['detail'] ?? [{ msg: '' }];
        expect(Array.isArray(detail) && detail.every((item: object) => 'msg' in item)).toBe(true);
      }
    }
  });

  it('carry any text without breaking the JSON', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const body = JSON.parse(wireError('not-found', 1, { text }).body) as { errorDescription: string };
        expect(body.errorDescription).toBe(text);
      }),
    );
  });

  it('name a field called __proto__ like any other', () => {
    const { body } = validationError([invalidValue(['query', '__proto__'], 'no', '__proto__')]);
    expect(JSON.parse(body)).toEqual({
      detail: [{ type: 'value_error', loc: ['query', '__proto__'], msg: 'Value error, no', input: '__proto__' }],
    });
  });
});
