import { expect, it } from 'vitest';
import { readTraceparent } from './traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

it('takes a traceparent of version 00, whatever its flags are', () => {
  expect(readTraceparent(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId });
  expect(readTraceparent(`00-${traceId}-${spanId}-00`)).toEqual({ traceId, spanId });
});

it.each([
  ['none', undefined],
  ['nothing', ''],
  ['words', 'Jane Smith, 900 000 0009'],
  ['another version', `01-${traceId}-${spanId}-01`],
  ['a forbidden version', `ff-${traceId}-${spanId}-01`],
  ['capitals', `00-${traceId.toUpperCase()}-${spanId}-01`],
  ['a trace id of nothing', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a span id of nothing', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['more behind it', `00-${traceId}-${spanId}-01-more`],
  ['two of them', `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
  ['a line after it', `00-${traceId}-${spanId}-01\n`],
  ['a long one', `00-${'a'.repeat(100_000)}-${spanId}-01`],
])('takes no notice of %s', (_what, value) => {
  expect(readTraceparent(value)).toBeUndefined();
});
