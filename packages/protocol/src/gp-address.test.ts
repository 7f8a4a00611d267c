import { describe, expect, it } from 'vitest';
import { redactRecipient } from './gp-address.ts';

describe('a recipient that is shown or logged', () => {
  it('is a mailbox id as it is', () => {
    expect(redactRecipient('X26ABC1')).toBe('X26ABC1');
  });

  it.each(['GPPROVIDER_9912003888_20010214_SMITH', 'gpprovider_9912003888_x', 'GPPROVIDER_'])(
    'names no patient: %s',
    (to) => {
      expect(redactRecipient(to)).toBe('GPPROVIDER_…');
    },
  );
});
