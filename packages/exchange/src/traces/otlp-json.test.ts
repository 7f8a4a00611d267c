import { expect, it } from 'vitest';
import { encodeSpans } from './otlp-json.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const [spanId, parentSpanId] = ['00f067aa0ba902b7', '1122334455667788'];
const scope = { name: 'openmesh', version: '0.1.0' };
const route = {
  traceId,
  spanId,
  parentSpanId,
  name: 'route',
  kind: 'internal',
  startMs: 1_795_720_428_781.938,
  endMs: 1_795_720_428_793,
  attributes: { 'a.text': 'x', 'a.number': 42, 'a.list': ['p', 'q'], 'a.none': undefined },
  links: [{ traceId, spanId: parentSpanId }],
  failed: true,
} as const;
const send = {
  ...route,
  parentSpanId: undefined,
  kind: 'server',
  attributes: {},
  links: [],
  failed: false,
} as const;

// What the exporter of OpenTelemetry (otlp-transformer 0.223) makes of the same, without the counts of what was dropped,
// and with 64-bit numbers as text, as Protobuf's JSON mapping has them.
it('writes spans in the JSON encoding of OTLP 1', () => {
  expect(JSON.parse(encodeSpans([route, send], { 'service.name': 'x' }, scope))).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'x' } }] },
        scopeSpans: [
          {
            scope,
            spans: [
              {
                traceId,
                spanId,
                parentSpanId,
                name: 'route',
                kind: 1,
                startTimeUnixNano: '1795720428781938000',
                endTimeUnixNano: '1795720428793000000',
                attributes: [
                  { key: 'a.text', value: { stringValue: 'x' } },
                  { key: 'a.number', value: { intValue: '42' } },
                  { key: 'a.list', value: { arrayValue: { values: [{ stringValue: 'p' }, { stringValue: 'q' }] } } },
                ],
                links: [{ traceId, spanId: parentSpanId }],
                status: { code: 2 },
              },
              {
                traceId,
                spanId,
                name: 'route',
                kind: 2,
                startTimeUnixNano: '1795720428781938000',
                endTimeUnixNano: '1795720428793000000',
                attributes: [],
                status: {},
              },
            ],
          },
        ],
      },
    ],
  });
});
