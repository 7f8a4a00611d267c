import type { TraceOutcome } from '@openmesh/demographics';
import { errorEntry, type MailboxId } from '@openmesh/protocol';
import { array, assert, constantFrom, property, record, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MailboxRecord } from '../store/ledger/registry.ts';
import { chooseMailbox, failureOf } from './decide-gp.ts';

const facts = { supersededBy: null, isDeceased: false };

describe('what a trace means for a message', () => {
  it.each<[TraceOutcome, string | undefined]>([
    [{ kind: 'found', practice: 'A81001', ...facts }, undefined],
    [{ kind: 'no-practice', ...facts }, 'EPL-151'],
    [{ kind: 'restricted', ...facts }, 'EPL-151'],
    [{ kind: 'mismatch' }, 'EPL-154'],
    [{ kind: 'not-found', why: 'unknown' }, 'EPL-153'],
    [{ kind: 'not-found', why: 'invalidated' }, 'EPL-153'],
    [{ kind: 'invalid-number' }, 'EPL-152'],
  ])('of %j is the code of the specification', (outcome, code) => {
    const failure = failureOf(outcome);
    expect(failure?.kind === 'fail' ? errorEntry(failure.error).code : undefined).toBe(code);
  });

  it('of no answer is to hold the message, whatever the reason', () => {
    const reasons = ['timeout', 'connection', 'certificate', 'server-error', 'malformed-answer', 'resting'] as const;
    for (const reason of reasons) {
      expect(failureOf({ kind: 'unavailable', reason, retryAfterMs: 5 })).toEqual({
        kind: 'hold',
        reason,
        retryAfterMs: 5,
      });
    }
  });
});

const codes = ['A1A', 'B1B', 'C1C'];
const mailboxes = uniqueArray(
  record({ mailboxId: constantFrom('M1', 'M2', 'M3', 'M4'), odsCode: constantFrom(...codes) }),
  { selector: ({ mailboxId }) => mailboxId },
);

describe('the choice of a mailbox', () => {
  it('delivers to the only mailbox of the practice, or fails by how many there are: never to one of several', () => {
    assert(
      property(mailboxes, array(constantFrom(...codes), { maxLength: 4 }), (registered, practices) => {
        const all = registered.map((each) => ({ ...each, mailboxId: each.mailboxId as MailboxId }) as MailboxRecord);
        const respondersOf = (odsCode: string): MailboxRecord[] => all.filter((each) => each.odsCode === odsCode);
        const own = all.filter(({ odsCode }) => practices.includes(odsCode));
        const chosen = chooseMailbox({ codes: practices, because: 'because' }, respondersOf);
        if (own.length === 1) expect(chosen).toEqual({ kind: 'deliver', mailbox: own[0], because: 'because' });
        else expect(chosen).toMatchObject({ error: own.length === 0 ? 'no-gp-mailbox' : 'too-many-gp-mailboxes' });
      }),
    );
  });
});
