import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MailboxId, parseMailboxId } from './identifiers.ts';
import { tokenWindowMs } from './limits.ts';
import {
  formatAuthorization,
  formatTokenTimestamp,
  isWithinTokenWindow,
  parseAuthorization,
  parseTokenTimestamp,
  tokenMessage,
} from './token.ts';

// Any UTF-16 text, lone surrogates included.
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 60 });

const mailboxes = fc
  .stringMatching(/^[A-Z0-9][A-Z0-9_.-]{0,20}$/)
  .map((text) => parseMailboxId(text))
  .filter((id): id is MailboxId => id !== undefined && !id.startsWith('NHSMESH'));
const nonces = fc.stringMatching(/^[!-9;-~]{1,60}$/);
const counts = fc.stringMatching(/^[0-9]{1,20}$/);
const hashes = fc.stringMatching(/^[0-9a-f]{64}$/);
const minutes = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(9999, 11, 31) }).map((ms) => ms - (ms % 60_000));

describe('an Authorization header', () => {
  it('reads back as the token that was written, whatever the nonce and the count', () => {
    fc.assert(
      fc.property(mailboxes, nonces, counts, minutes, hashes, (mailbox, nonce, nonceCount, minute, hash) => {
        const token = { mailbox, nonce, nonceCount, timestamp: formatTokenTimestamp(minute), hash };
        expect(parseAuthorization(formatAuthorization(token), mailbox)).toEqual({ ok: true, token });
      }),
    );
  });

  it('never reads as the token of another mailbox than the path names', () => {
    fc.assert(
      fc.property(mailboxes, mailboxes, nonces, hashes, (owner, path, nonce, hash) => {
        fc.pre(owner !== path);
        const header = formatAuthorization({ mailbox: owner, nonce, nonceCount: '0', timestamp: '202611210537', hash });
        expect(parseAuthorization(header, path)).toMatchObject({ refusal: { error: 'token-mailbox-mismatch' } });
      }),
    );
  });

  it('is read or refused without an exception, whatever was sent', () => {
    const pieces = fc.array(fc.constantFrom('NHSMESH', ' ', ':', 'X26', '0', 'é', '\u0000', '202611210537', 'ſ'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          pieces.map((all) => all.join('')),
        ),
        mailboxes,
        (header, mailbox) => {
          const reading = parseAuthorization(header, mailbox);
          if (reading.ok) expect(header.match(/:/g)?.length).toBeGreaterThanOrEqual(4);
        },
      ),
    );
  });

  it('parts its elements in one way only, so that no two tokens of different elements have one signed text', () => {
    const passwords = fc.stringMatching(/^[!-9;-~]{1,20}$/);
    const part = fc.record({
      mailbox: mailboxes,
      nonce: nonces,
      nonceCount: counts,
      password: passwords,
      minute: minutes,
    });
    fc.assert(
      fc.property(part, part, (one, other) => {
        const text = (of: typeof one) => tokenMessage({ ...of, timestamp: formatTokenTimestamp(of.minute) });
        expect(text(one) === text(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it('tells the record of the mailbox’s owner exactly what was wrong', () => {
    const mailbox = parseMailboxId('X26') as MailboxId;
    const reasonOf = (header: string | undefined) => {
      const reading = parseAuthorization(header, mailbox);
      return reading.ok ? 'none' : reading.refusal.reason;
    };
    expect(reasonOf(undefined)).toBe('header-missing');
    expect(reasonOf('NHSMESH X27:n:0:202611210537:ab')).toBe('mailbox-differs-from-path');
    expect(reasonOf('NHSMESH X26:n:0:202611210537')).toBe('not-five-elements');
    expect(reasonOf(`NHSMESH X26:${'n'.repeat(257)}:0:202611210537:ab`)).toBe('nonce-unusable');
    expect(reasonOf('NHSMESH X26:n:a:202611210537:ab')).toBe('nonce-count-not-digits');
    expect(reasonOf(`NHSMESH X26:n:0:${'2'.repeat(33)}:ab`)).toBe('timestamp-unusable');
    expect(reasonOf(`NHSMESH X26:n:0:202611210537:${'a'.repeat(129)}`)).toBe('hash-unusable');
    expect(reasonOf(`NHSMESH X26:${'n'.repeat(256)}:0:202611210537:ab`)).toBe('none');
  });
});

describe('a token’s timestamp', () => {
  it('reads back as the minute that was written', () => {
    fc.assert(
      fc.property(minutes, fc.integer({ min: 0, max: 59_999 }), (minute, within) => {
        expect(parseTokenTimestamp(formatTokenTimestamp(minute + within))).toBe(minute);
      }),
    );
  });

  it('may lie exactly two hours from the clock, and not a millisecond more', () => {
    const now = Date.UTC(2026, 10, 21, 5, 37);
    const near = [now, now - tokenWindowMs, now + tokenWindowMs];
    const far = [now - tokenWindowMs - 1, now + tokenWindowMs + 1];
    expect(near.map((stamp) => isWithinTokenWindow(stamp, now))).toEqual([true, true, true]);
    expect(far.map((stamp) => isWithinTokenWindow(stamp, now))).toEqual([false, false]);
  });
});
