import { describe, expect, it } from 'vitest';
import { TokenMaker } from './token.ts';

const caller = { mailbox: 'X26ABC1', password: 'password' };

describe('the tokens of the load generator', () => {
  it('are those of the published vector, so that a real exchange accepts them', () => {
    const maker = new TokenMaker('TestKey', Date.UTC(2020, 4, 4, 13, 5, 59));
    expect(maker.make(caller, 'bd0e2bd5-218e-41d0-83a9-73fdec414803')).toBe(
      'NHSMESH X26ABC1:bd0e2bd5-218e-41d0-83a9-73fdec414803:0:202005041305:' +
        '1d7da1305d2c4f169b097f4e7fddbc8dfba024de2ea0fdee858b64536f2a90bc',
    );
  });

  it('carry a nonce of their own, so that the replay guard never meets one twice', () => {
    const maker = new TokenMaker('TestKey', 0);
    expect(maker.make(caller)).not.toBe(maker.make(caller));
  });
});
