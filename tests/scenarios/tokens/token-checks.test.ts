import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { authorizationOf, type MeshReply, type TokenParts, tokenTimestamp } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { seededPassword } from '../../kit/seeded-registry.ts';
import { expectError, versions } from '../../kit/wire-answers.ts';

const minuteMs = 60_000;
const unreadable = 'Error reading from Authorization header';
const mismatch = 'Mailbox id does not match token';
const invalid = 'Invalid Authentication Token';
const noMailbox = { text: 'No mailbox matched', event: 'SEND', code: 'EPL-151' };

interface Refusal {
  readonly what: string;
  /** The header, made of a right token's parts; null sends none. */
  readonly header: (parts: TokenParts) => string | null;
  readonly path?: string;
  readonly told: { readonly text: string; readonly event?: string; readonly code?: string };
  /** What only the owner reads. */
  readonly reason: string;
  readonly detail?: string;
}

const signed = (change: Partial<TokenParts>) => (parts: TokenParts) => authorizationOf({ ...parts, ...change });
const shifted = (minutes: number) => (parts: TokenParts) =>
  authorizationOf({ ...parts, timestamp: tokenTimestamp(exchange.clock.nowMs() + minutes * minuteMs) });
const elements = (parts: TokenParts): string[] => authorizationOf(parts).slice('NHSMESH '.length).split(':');

let exchange: ExchangeInProcess;

/** In the order of the checks: 1 to 8 of the specification. */
const refusals: readonly Refusal[] = [
  { what: 'no header', header: () => null, told: { text: unreadable }, reason: 'token-header-missing' },
  { what: 'a blank header', header: () => ' ', told: { text: unreadable }, reason: 'token-header-missing' },
  {
    what: 'garbage, which fails on the mailbox before its shape',
    header: () => 'garbage',
    told: { text: mismatch },
    reason: 'token-mailbox-differs-from-path',
  },
  {
    what: 'another scheme',
    header: () => 'Basic dXNlcjpwYXNz',
    told: { text: mismatch },
    reason: 'token-mailbox-differs-from-path',
  },
  {
    what: 'the token of another mailbox, though that one is right',
    header: signed({ mailboxId: 'X26ABC2' }),
    told: { text: mismatch },
    reason: 'token-mailbox-differs-from-path',
  },
  {
    what: 'a lower-case mailbox in the token',
    header: signed({ mailboxId: 'x26abc1' }),
    told: { text: mismatch },
    reason: 'token-mailbox-differs-from-path',
  },
  {
    what: 'a mailbox that only begins like the path’s',
    header: signed({ mailboxId: 'X26ABC10' }),
    told: { text: mismatch },
    reason: 'token-mailbox-differs-from-path',
  },
  {
    what: 'a mismatch on a path whose mailbox does not exist',
    header: signed({}),
    path: 'NOBODY9',
    told: { text: mismatch },
    reason: 'token-mailbox-differs-from-path',
  },
  {
    what: 'four elements',
    header: (parts) => `NHSMESH ${elements(parts).slice(0, 4).join(':')}`,
    told: { text: unreadable },
    reason: 'token-not-five-elements',
  },
  {
    what: 'six elements',
    header: (parts) => `${authorizationOf(parts)}:more`,
    told: { text: unreadable },
    reason: 'token-not-five-elements',
  },
  {
    what: 'a count that is no number',
    header: signed({ nonceCount: 'one' }),
    told: { text: unreadable },
    reason: 'token-nonce-count-not-digits',
  },
  {
    what: 'an empty nonce',
    header: signed({ nonce: '' }),
    told: { text: unreadable },
    reason: 'token-nonce-unusable',
  },
  {
    what: 'a nonce of 257 characters',
    header: signed({ nonce: 'n'.repeat(257) }),
    told: { text: unreadable },
    reason: 'token-nonce-unusable',
  },
  {
    what: 'a space in the nonce',
    header: signed({ nonce: 'no nce' }),
    told: { text: unreadable },
    reason: 'token-nonce-unusable',
  },
  {
    what: 'a timestamp that is none',
    header: signed({ timestamp: '202613010000' }),
    told: { text: invalid },
    reason: 'token-stale',
    detail: 'the timestamp of the token cannot be read as yyyyMMddHHmm',
  },
  {
    what: 'a clock 3 h behind',
    header: shifted(-180),
    told: { text: invalid },
    reason: 'token-stale',
    detail: "the token's clock is 180 min behind the server's",
  },
  {
    what: 'a clock 3 h ahead',
    header: shifted(180),
    told: { text: invalid },
    reason: 'token-stale',
    detail: "the token's clock is 180 min ahead of the server's",
  },
  {
    what: 'a stale token for a mailbox that does not exist',
    header: (parts) => shifted(-180)({ ...parts, mailboxId: 'NOBODY9' }),
    path: 'NOBODY9',
    told: { text: invalid },
    reason: 'token-stale',
  },
  {
    what: 'a mailbox that does not exist',
    header: signed({ mailboxId: 'NOBODY9' }),
    path: 'NOBODY9',
    told: noMailbox,
    reason: 'mailbox-unknown',
    detail: 'there is no mailbox NOBODY9',
  },
  {
    what: 'another password',
    header: signed({ password: 'wrong' }),
    told: { text: invalid },
    reason: 'token-hash-mismatch',
  },
  {
    what: 'another shared key',
    header: signed({ sharedKey: 'wrong' }),
    told: { text: invalid },
    reason: 'token-hash-mismatch',
  },
  {
    what: 'an empty hash',
    header: (parts) => `NHSMESH ${elements(parts).slice(0, 4).join(':')}:`,
    told: { text: invalid },
    reason: 'token-hash-mismatch',
  },
  {
    what: 'a hash cut short',
    header: (parts) => authorizationOf(parts).slice(0, -1),
    told: { text: invalid },
    reason: 'token-hash-mismatch',
  },
  {
    what: 'a wrong password of a disabled mailbox',
    header: signed({ mailboxId: 'X26OFF4', password: 'wrong' }),
    path: 'X26OFF4',
    told: { text: invalid },
    reason: 'token-hash-mismatch',
  },
  {
    what: 'a disabled mailbox',
    header: signed({ mailboxId: 'X26OFF4' }),
    path: 'X26OFF4',
    told: { text: 'Request Received from Inactive Mailbox' },
    reason: 'mailbox-inactive',
    detail: 'mailbox X26OFF4 is disabled',
  },
];

beforeAll(async () => {
  exchange = await ExchangeInProcess.start();
});
afterAll(() => exchange.stop());
// Records are told apart by their time; at a whole minute the age of a token is a whole number too.
beforeEach(() => exchange.clock.freeze((Math.floor(exchange.clock.nowMs() / minuteMs) + 1) * minuteMs));

let made = 0;
function rightParts(): TokenParts {
  made += 1;
  return {
    mailboxId: 'X26ABC1',
    password: seededPassword,
    sharedKey: 'kit-shared-key',
    nonce: `nonce-${made}`,
    nonceCount: '0',
    timestamp: tokenTimestamp(exchange.clock.nowMs()),
  };
}

function ask(authorization: string | null, path = 'X26ABC1', version: 1 | 2 = 2): Promise<MeshReply> {
  return exchange.client(path, { version }).request('GET', '/inbox', { authorization });
}

describe.each(versions)('a token refused, in version %i', (version) => {
  it.each(refusals)('$what: the caller is told no more than the specification, the record says why', async (row) => {
    const reply = await ask(row.header(rightParts()), row.path, version);
    expectError(reply, version, { status: 403, ...row.told });
    expect(reply.headers).not.toHaveProperty('www-authenticate');
    const [newest] = await exchange.refusals({ mailbox: row.path ?? 'X26ABC1', reason: row.reason });
    expect(newest).toMatchObject({
      atMs: exchange.clock.nowMs(),
      reason: row.reason,
      operation: 'check-inbox',
      status: 403,
      address: '127.0.0.1',
      certificateSerial: expect.stringMatching(/^[0-9a-f]+$/i),
      ...(row.detail === undefined ? {} : { detail: row.detail }),
    });
  });
});

describe('a token accepted', () => {
  it.each([
    ['of the scheme in another case', (header: string) => header.replace('NHSMESH', 'nhsMesh')],
    ['without a scheme', (header: string) => header.replace('NHSMESH ', '')],
    ['with any one character after the scheme', (header: string) => header.replace('NHSMESH ', 'NHSMESH:')],
    ['with blanks around it', (header: string) => `  ${header}  `],
    ['with its hash in upper case', (header: string) => header.replace(/[0-9a-f]{64}$/, (hash) => hash.toUpperCase())],
  ])('%s', async (_what, change) => {
    expect((await ask(change(authorizationOf(rightParts())))).status).toBe(200);
  });

  it('hashes the count as sent, leading zeros and all', async () => {
    const parts = rightParts();
    expect((await ask(authorizationOf({ ...parts, nonceCount: '001' }))).status).toBe(200);
    const zeroless = authorizationOf({ ...parts, nonce: 'other', nonceCount: '1' });
    expect((await ask(zeroless.replace(':1:', ':001:'))).status).toBe(403);
  });

  it('that holds every visible character a nonce may have, and 256 of them', async () => {
    const visible = Array.from({ length: 94 }, (_each, at) => String.fromCharCode(0x21 + at)).join('');
    const nonce = visible.replace(':', '').repeat(3).slice(0, 256);
    expect((await ask(authorizationOf({ ...rightParts(), nonce }))).status).toBe(200);
  });

  it('is not read with elements shifted: the same text with a colon moved is another token', async () => {
    const parts = { ...rightParts(), nonce: 'ab', nonceCount: '12' };
    const header = authorizationOf(parts).replace(':ab:12:', ':ab1:2:');
    expectError(await ask(header), 2, { status: 403, text: 'Invalid Authentication Token' });
  });

  it.each([
    ['2 h behind to the minute', -120, 0, 200],
    ['2 h ahead to the minute', 120, 0, 200],
    ['2 h and a second behind', -120, 1000, 403],
    ['2 h and a minute ahead', 121, 0, 403],
  ])('at the edge: %s', async (_what, minutes, laterMs, status) => {
    const timestamp = tokenTimestamp(exchange.clock.nowMs() + minutes * minuteMs);
    exchange.clock.advance(laterMs);
    expect((await ask(authorizationOf({ ...rightParts(), timestamp }))).status).toBe(status);
  });

  it('of either password while a password is being changed, and of the new one only afterwards', async () => {
    await exchange.change({ mailboxes: [{ id: 'X26CHG5', password: 'old' }] });
    await exchange.change({ mailboxes: [{ id: 'X26CHG5', password: 'new' }] });
    const statuses: number[] = [];
    for (const password of ['old', 'new', 'none'])
      statuses.push((await exchange.client('X26CHG5', { password }).list()).status);
    expect(statuses).toEqual([200, 200, 403]);
  });
});
