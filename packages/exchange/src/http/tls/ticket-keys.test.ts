import { describe, expect, it } from 'vitest';
import { deriveTicketKeys } from './ticket-keys.ts';

const scope = { seed: Buffer.alloc(48, 7), epoch: 3, trust: ['tls-alert', 'authority'] };

describe('the key of session tickets', () => {
  it('has the 48 bytes Node asks for and is the same on every node that knows the same', () => {
    expect(deriveTicketKeys(scope)).toHaveLength(48);
    expect(deriveTicketKeys(scope)).toEqual(deriveTicketKeys({ ...scope, trust: [...scope.trust] }));
  });

  it.each([
    ['seed', { ...scope, seed: Buffer.alloc(48, 8) }],
    ['time', { ...scope, epoch: 4 }],
    ['way of asking', { ...scope, trust: ['http-400', 'authority'] }],
    ['authorities', { ...scope, trust: ['tls-alert', 'authority', 'another'] }],
    ['boundary between authorities', { ...scope, trust: ['tls-alert', 'auth', 'ority'] }],
  ])('changes with the %s', (_what, other) => {
    expect(deriveTicketKeys(other)).not.toEqual(deriveTicketKeys(scope));
  });
});
