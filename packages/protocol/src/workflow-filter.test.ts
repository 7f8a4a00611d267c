import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesWorkflow, parseWorkflowFilter } from './workflow-filter.ts';

const ids = fc.string({ unit: fc.constantFrom('a', 'B', '*', '!', '_', ' '), maxLength: 6 });
const texts = fc.string({ unit: fc.constantFrom('a', 'B', '_', ' '), minLength: 1, maxLength: 3 });

function passes(filter: string, id: string): boolean {
  return matchesWorkflow(parseWorkflowFilter(filter), id);
}

describe('a workflow filter', () => {
  it('means by its stars what the same text means to JavaScript', () => {
    fc.assert(
      fc.property(texts, ids, (text, id) => {
        expect(passes(text, id)).toBe(id === text);
        expect(passes(`${text}*`, id)).toBe(id.startsWith(text));
        expect(passes(`*${text}`, id)).toBe(id.endsWith(text));
        expect(passes(`*${text}*`, id)).toBe(id.includes(text));
      }),
    );
  });

  it('lets through with an exclamation mark exactly what it stops without', () => {
    fc.assert(
      fc.property(ids, ids, (filter, id) => {
        fc.pre(!filter.startsWith('!'));
        expect(passes(`!${filter}`, id)).toBe(!passes(filter, id));
      }),
    );
  });
});
