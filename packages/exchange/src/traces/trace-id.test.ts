import { createMessageIds } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import { isSampled, traceOf } from './trace-id.ts';

describe('the trace of a message', () => {
  it('is what docs/operate/traces.md says: the first digits of the SHA-256 of the id', () => {
    // printf %s 20261126120000000000_A1B2C3 | sha256sum
    expect(traceOf('20261126120000000000_A1B2C3')).toEqual({
      traceId: '54887532867f740a7fd907ba1655baaf',
      rootSpanId: 'f5e59020295c3de1',
    });
  });
});

describe('the share of messages that are traced', () => {
  const newId = createMessageIds({ nowMicros: () => 1.8e15, randomHex6: () => 'ABCDEF' });
  const traceIds = Array.from({ length: 4000 }, () => traceOf(newId()).traceId);
  const sampled = (share: number): readonly string[] => traceIds.filter((id) => isSampled(id, share));

  it('is all of them with 1 and none with 0', () => {
    expect(sampled(1)).toHaveLength(traceIds.length);
    expect(sampled(0)).toHaveLength(0);
  });

  it('is about as many as it says', () => {
    expect(sampled(0.25).length).toBeGreaterThan(850);
    expect(sampled(0.25).length).toBeLessThan(1150);
  });

  it('holds whatever a smaller share holds, so that nodes with different shares agree on the smaller', () => {
    const larger = new Set(sampled(0.5));
    expect(sampled(0.1).every((id) => larger.has(id))).toBe(true);
  });

  it('compares as samplers of OpenTelemetry do: by the last 56 bits, the highest first', () => {
    const beginning = '0'.repeat(18);
    expect(isSampled(`${beginning}80000000000000`, 0.5)).toBe(true);
    expect(isSampled(`${beginning}7fffffffffff00`, 0.5)).toBe(false);
  });
});
