import { describe, expect, it } from 'vitest';
import { TokenMaker, tokenTimestamp } from './token.ts';

describe('the tokens of the load generator', () => {
  it('are those of the published vector, so that a real exchange accepts them', () => {
    const maker = new TokenMaker('TestKey', '202005041305');
    const caller = { mailbox: 'X26ABC1', password: 'password' };
    expect(maker.make(caller, 'bd0e2bd5-218e-41d0-83a9-73fdec414803', '001')).toBe(
      'NHSMESH X26ABC1:bd0e2bd5-218e-41d0-83a9-73fdec414803:001:202005041305:' +
        'e5480e8e5a158d8ee68be39af555707a52eaeacaf7100a6f9476bc6b9fc211f8',
    );
  });

  it('carry a nonce of their own, so that the replay guard never meets one twice', () => {
    const maker = new TokenMaker('TestKey', '202005041305');
    const caller = { mailbox: 'X26ABC1', password: 'password' };
    expect(maker.make(caller)).not.toBe(maker.make(caller));
  });

  it('are stamped in UTC to the minute', () => {
    expect(tokenTimestamp(new Date('2026-11-21T08:05:59.999Z'))).toBe('202611210805');
  });
});
