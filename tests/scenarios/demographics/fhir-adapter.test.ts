import type { TraceOutcome } from '@openmesh/demographics';
import type { StandInFault } from '@openmesh/sandbox/stand-ins/faults.ts';
import { describe, expect, it } from 'vitest';
import { otherAuthority } from '../../kit/certificates.ts';
import { type AdapterChoice, questionOf, StandInWorld } from '../../kit/demographics-service.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';

guardLeaks();

const context = { correlationId: '00000000-0000-4000-8000-000000000000' };
const registered = questionOf('9990000018', 'REGISTERED');
const living = { supersededBy: null, isDeceased: false };
const isRegistered: TraceOutcome = { kind: 'found', practice: 'X26', ...living };

async function traceOnce(choice: AdapterChoice, ...faults: readonly StandInFault[]): Promise<TraceOutcome> {
  await using world = await StandInWorld.start();
  for (const fault of faults) world.standIns.faults.add('demographics', fault, 1);
  return await world.adapter(choice).trace(registered, context);
}

describe('the demographics API, asked over TLS with a token', () => {
  it.each([
    ['9990000018', 'REGISTERED', isRegistered],
    ['9990000026', 'Elsewhere', { kind: 'found', practice: 'X27', ...living }],
    ['9990000034', 'REGISTERED', { kind: 'found', practice: 'X26', supersededBy: '9990000018', isDeceased: false }],
    ['9990000034', 'SOMEBODY', { kind: 'mismatch' }],
    ['9990000042', 'ANY', { kind: 'not-found', why: 'invalidated' }],
    ['9990000050', 'ANY', { kind: 'not-found', why: 'unknown' }],
    ['9111231130', 'ANY', { kind: 'not-found', why: 'unknown' }],
    ['9990000069', 'ANY', { kind: 'invalid-number' }],
    ['9990000077', 'ANY', { kind: 'mismatch' }],
    ['9990000085', 'RESTRICTED', { kind: 'restricted', ...living }],
    ['9990000093', 'DECEASED', { kind: 'found', practice: 'X26', supersededBy: null, isDeceased: true }],
    ['9990000107', 'UNREGISTERED', { kind: 'no-practice', ...living }],
    ['9990000115', 'LEAVER', { kind: 'no-practice', ...living }],
    ['9990000123', 'FOLLOWER', { kind: 'found', practice: 'Y12345', ...living }],
    ['9990000174', 'PARTIAL', { kind: 'mismatch' }],
    ['9990000182', 'OMAIDEN', { kind: 'found', practice: 'X26', ...living }],
    ['9000000033', 'SMITH', { kind: 'mismatch' }],
  ])('tells of %s, asked as %s, what its record says', async (nhsNumber, surname, outcome) => {
    await using world = await StandInWorld.start();
    expect(await world.adapter().trace(questionOf(nhsNumber, surname), context)).toEqual(outcome);
  });

  it('tells of the published patients', async () => {
    await using world = await StandInWorld.start();
    const adapter = world.adapter();
    const born = '2010-10-22';
    expect(await adapter.trace(questionOf('9000000009', 'SMITH', born), context)).toEqual({
      kind: 'found',
      practice: 'Y12345',
      supersededBy: null,
      isDeceased: true,
    });
    expect(await adapter.trace(questionOf('9000000025', 'SMYTHE', born), context)).toMatchObject({
      kind: 'restricted',
    });
  });

  it.each([
    ['9990000190', 'rate-limited', 1000],
    ['9990000204', 'timeout', 1000],
    ['9990000212', 'server-error', 1000],
    ['9990000220', 'server-error', 1000],
    ['9990000239', 'malformed-answer', 1000],
    ['9990000247', 'unexpected-answer', null],
  ])('knows nothing when it fails for %s: %s', async (nhsNumber, reason, retryAfterMs) => {
    await using world = await StandInWorld.start();
    const outcome = await world.adapter().trace(questionOf(nhsNumber, 'ANY'), context);
    expect(outcome).toEqual({ kind: 'unavailable', reason, retryAfterMs });
  });

  it.each<[string, StandInFault, string]>([
    ['answers in no time', { kind: 'silence' }, 'timeout'],
    ['breaks off', { kind: 'cut' }, 'connection'],
    ['answers more than any record holds', { kind: 'flood', bytes: 1_000_000 }, 'malformed-answer'],
    ['answers with half of a record', { kind: 'text', status: 200, text: '{"resourceType":"Pat' }, 'malformed-answer'],
    ['answers with a list', { kind: 'text', status: 200, text: '[]' }, 'malformed-answer'],
    ['answers with another resource', { kind: 'text', status: 200, text: '{"id":"9990000018"}' }, 'malformed-answer'],
    ['sends elsewhere', { kind: 'status', status: 302 }, 'unexpected-answer'],
    ['refuses us', { kind: 'status', status: 403 }, 'access-refused'],
    ['is asked too often', { kind: 'status', status: 429 }, 'rate-limited'],
    ['fails', { kind: 'status', status: 502 }, 'server-error'],
  ])('knows nothing when the service %s', async (_says, fault, reason) => {
    // A short time only where it is to run out.
    const choice = fault.kind === 'silence' ? { timeoutMs: 300 } : {};
    expect(await traceOnce(choice, fault)).toMatchObject({ kind: 'unavailable', reason });
  });

  it('talks to nobody whose certificate is from an authority it was not told to trust', async () => {
    expect(await traceOnce({ authorities: await otherAuthority() })).toMatchObject({ reason: 'certificate' });
  });

  it('knows nothing when its connection is refused', async () => {
    await using world = await StandInWorld.start();
    const adapter = world.adapter();
    await world.standIns.close();
    expect(await adapter.trace(registered, context)).toMatchObject({ kind: 'unavailable', reason: 'connection' });
  });

  it('stops when it is told to', async () => {
    await using world = await StandInWorld.start();
    world.standIns.faults.add('demographics', { kind: 'silence' }, 1);
    const stopping = new AbortController();
    const asked = world.adapter().trace(registered, { ...context, signal: stopping.signal });
    stopping.abort();
    expect(await asked).toMatchObject({ kind: 'unavailable' });
  });
});

describe('the token', () => {
  it('is got once for many questions at once, and again before it ends', async () => {
    let nowMs = Date.now();
    await using world = await StandInWorld.start(() => nowMs);
    const adapter = world.adapter({ nowMs: () => nowMs });
    await Promise.all([1, 2, 3].map(() => adapter.trace(registered, context)));
    expect(world.standIns.asked.get('token')).toBe(1);
    nowMs += 530_000;
    expect(await adapter.trace(registered, context)).toEqual(isRegistered);
    expect(world.standIns.asked.get('token')).toBe(1);
    nowMs += 10_000;
    expect(await adapter.trace(registered, context)).toEqual(isRegistered);
    expect(world.standIns.asked.get('token')).toBe(2);
  });

  it('is replaced when the service no longer accepts it, and the question asked again', async () => {
    await using world = await StandInWorld.start();
    const adapter = world.adapter();
    await adapter.trace(registered, context);
    world.standIns.endTokens();
    expect(await adapter.trace(registered, context)).toEqual(isRegistered);
    expect(world.standIns.asked.get('token')).toBe(2);
  });

  it('is asked for no third time when the service accepts none', async () => {
    await using world = await StandInWorld.start();
    world.standIns.faults.add('demographics', { kind: 'status', status: 401 }, 9);
    expect(await world.adapter().trace(registered, context)).toMatchObject({ reason: 'access-refused' });
    expect(world.standIns.asked.get('token')).toBe(2);
  });

  it.each<[string, AdapterChoice, string]>([
    ['the key id is not known', { keyId: 'other' }, 'access-refused'],
    ['the application is not known', { apiKey: 'other' }, 'access-refused'],
    ['our clock is an hour slow', { nowMs: () => Date.now() - 3_600_000 }, 'access-refused'],
  ])('is not to be had when %s', async (_says, choice, reason) => {
    expect(await traceOnce(choice)).toMatchObject({ kind: 'unavailable', reason });
  });

  it.each<[string, StandInFault, string]>([
    ['is no token', { kind: 'text', status: 200, text: '{"access_token":"","expires_in":"599"}' }, 'malformed-answer'],
    ['never ends', { kind: 'text', status: 200, text: '{"access_token":"a","expires_in":"9e9"}' }, 'malformed-answer'],
    [
      'holds a line break',
      { kind: 'text', status: 200, text: '{"access_token":"a\\nb","expires_in":9}' },
      'malformed-answer',
    ],
    ['is no JSON', { kind: 'text', status: 200, text: '<html>' }, 'malformed-answer'],
    ['is an error of the server', { kind: 'status', status: 500 }, 'server-error'],
    ['is a request to wait', { kind: 'status', status: 429, retryAfter: '7' }, 'rate-limited'],
  ])('is not made of an answer that %s', async (_says, fault, reason) => {
    await using world = await StandInWorld.start();
    world.standIns.faults.add('token', fault, 1);
    expect(await world.adapter().trace(registered, context)).toMatchObject({ kind: 'unavailable', reason });
    expect(world.standIns.asked.get('demographics')).toBeUndefined();
  });
});

describe('a service that failed', () => {
  it('is left alone for as long as it wished, and then asked again', async () => {
    let nowMs = Date.now();
    await using world = await StandInWorld.start(() => nowMs);
    const adapter = world.adapter({ nowMs: () => nowMs });
    world.standIns.faults.add('demographics', { kind: 'status', status: 429, retryAfter: '30' }, 1);
    expect(await adapter.trace(registered, context)).toMatchObject({ reason: 'rate-limited', retryAfterMs: 30_000 });
    nowMs += 29_000;
    expect(await adapter.trace(registered, context)).toEqual({
      kind: 'unavailable',
      reason: 'resting',
      retryAfterMs: 1000,
    });
    expect(world.standIns.asked.get('demographics')).toBe(1);
    nowMs += 1000;
    expect(await adapter.trace(registered, context)).toEqual(isRegistered);
  });

  it('has failed once when questions asked side by side have failed', async () => {
    let nowMs = Date.now();
    await using world = await StandInWorld.start(() => nowMs);
    const adapter = world.adapter({ nowMs: () => nowMs });
    world.standIns.faults.add('demographics', { kind: 'status', status: 503 }, 10);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => adapter.trace(registered, context)));
    expect(outcomes.every(({ kind }) => kind === 'unavailable')).toBe(true);
    expect(world.standIns.asked.get('demographics')).toBe(10);
    nowMs += 1000;
    expect(await adapter.trace(registered, context)).toEqual(isRegistered);
  });

  it('is left alone twice as long after each further failure, and briefly again once it has answered', async () => {
    let nowMs = Date.now();
    await using world = await StandInWorld.start(() => nowMs);
    const adapter = world.adapter({ nowMs: () => nowMs });
    const rests: (number | null)[] = [];
    const ask = async (): Promise<void> => {
      const outcome = await adapter.trace(registered, context);
      rests.push(outcome.kind === 'unavailable' ? outcome.retryAfterMs : 0);
      nowMs += 60_000;
    };
    world.standIns.faults.add('demographics', { kind: 'status', status: 500 }, 8);
    for (let attempt = 0; attempt < 9; attempt += 1) await ask();
    world.standIns.faults.add('demographics', { kind: 'status', status: 500 }, 1);
    await ask();
    expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 0, 1000]);
  });
});

describe('the agreed rate', () => {
  it('is kept by waiting, up to a limit, and whoever comes beyond it is told when to come again', async () => {
    const slept: number[] = [];
    let nowMs = Date.now();
    await using world = await StandInWorld.start(() => nowMs);
    const adapter = world.adapter({ nowMs: () => nowMs, requestsPerSecond: 5, waitMsMax: 400, slept });
    for (let question = 0; question < 3; question += 1) {
      expect(await adapter.trace(registered, context)).toEqual(isRegistered);
    }
    expect(slept).toEqual([200, 400]);
    for (let question = 0; question < 20; question += 1) {
      expect(await adapter.trace(registered, context)).toEqual({
        kind: 'unavailable',
        reason: 'queue-full',
        retryAfterMs: 600,
      });
    }
    expect(world.standIns.asked.get('demographics')).toBe(3);
    nowMs += 200;
    expect(await adapter.trace(registered, context)).toEqual(isRegistered);
  });
});
