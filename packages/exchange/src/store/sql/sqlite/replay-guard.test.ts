import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bob, bornAtMs, nonceOf } from '../../ledger-probe.ts';
import { all, run } from '../question.ts';
import { listNonces, sweepNonces } from '../questions/nonces.ts';
import { migrate, openEngine, type SqliteEngine } from './engine.ts';
import { ReplayGuard } from './replay-guard.ts';

const quarterMs = 15 * 60_000;

describe('the replay guard', () => {
  let folder = '';
  let engine: SqliteEngine;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openmesh-guard-'));
    engine = openEngine({ path: join(folder, 'l'), readOnly: false, cacheMebibytes: 1, lockTimeoutMs: 0 });
    migrate(engine);
  });
  afterEach(() => {
    engine.close();
    rmSync(folder, { recursive: true });
  });

  /** A guard as a process makes it at its start. */
  function start(): ReplayGuard {
    const guard = new ReplayGuard();
    engine.begin();
    engine.talk(guard.load());
    engine.commit();
    return guard;
  }

  function commit(guard: ReplayGuard): void {
    engine.begin();
    engine.talk(guard.write());
    engine.commit();
    guard.keep();
  }

  const sweep = (nowMs: number) => engine.talk(run(sweepNonces, nowMs, 10));
  const rows = () => engine.talk(all(listNonces, -1, 1000));

  it('refuses a nonce within the transaction that claimed it and after its commit, and tells when', () => {
    const guard = start();
    expect(guard.claim(nonceOf('n:1'))).toBeUndefined();
    expect(guard.claim(nonceOf('n:1', { seenAtMs: bornAtMs + 7 }))).toBe(bornAtMs);
    expect(guard.claim(nonceOf('n:1', { mailbox: bob }))).toBeUndefined();
    commit(guard);
    expect(guard.claim(nonceOf('n:1', { seenAtMs: bornAtMs + 9 }))).toBe(bornAtMs);
  });

  it('forgets the claims of a transaction that was rolled back, and only those', () => {
    const guard = start();
    guard.claim(nonceOf('kept:1'));
    commit(guard);
    guard.claim(nonceOf('lost:1'));
    guard.drop();
    expect(guard.claim(nonceOf('lost:1'))).toBeUndefined();
    expect(guard.claim(nonceOf('kept:1'))).toBe(bornAtMs);
    guard.drop();
    commit(guard);
    expect(start().claim(nonceOf('lost:1'))).toBeUndefined();
  });

  it('writes one row for the claims of a commit that end together, and none where nothing was claimed', () => {
    const guard = start();
    commit(guard);
    expect(rows()).toEqual([]);
    for (let n = 0; n < 100; n += 1) guard.claim(nonceOf(`n${n}:1`));
    guard.claim(nonceOf('later:1', { expiresAtMs: nonceOf('').expiresAtMs + quarterMs }));
    commit(guard);
    expect(rows().map(({ prints }) => prints.length)).toEqual([100 * 24, 24]);
    commit(guard);
    expect(rows()).toHaveLength(2);
  });

  it('reads everything back, however many rows it came in', () => {
    const guard = start();
    const claims = Array.from({ length: 2500 }, (_, n) =>
      nonceOf(`n${n}:1`, { seenAtMs: bornAtMs + n, expiresAtMs: bornAtMs + 3_600_000 * (1 + (n % 5)) }),
    );
    engine.begin();
    for (const claim of claims) {
      guard.claim(claim);
      engine.talk(guard.write());
      guard.keep();
    }
    engine.commit();
    const next = start();
    expect(claims.filter((claim) => next.claim({ ...claim, seenAtMs: bornAtMs }) !== claim.seenAtMs)).toEqual([]);
  });

  it('ends the claims of a span together, and never before their own date', () => {
    const guard = start();
    const spanEndMs = Math.ceil((bornAtMs + quarterMs + 1) / quarterMs) * quarterMs;
    const first = nonceOf('first:1', { expiresAtMs: bornAtMs + quarterMs + 1 });
    const last = nonceOf('last:1', { expiresAtMs: spanEndMs });
    guard.claim(first);
    guard.claim(last);
    commit(guard);
    expect(rows()).toMatchObject([{ expiresAtMs: spanEndMs }]);
    expect(sweep(spanEndMs - 1)).toBe(0);
    for (const claim of [first, last]) expect(guard.claim({ ...claim, seenAtMs: spanEndMs - 1 })).toBe(bornAtMs);
    expect(sweep(spanEndMs)).toBe(1);
    for (const claim of [first, last]) expect(guard.claim({ ...claim, seenAtMs: spanEndMs })).toBeUndefined();
  });

  it('stands for nonces differently in each ledger', () => {
    const guard = start();
    guard.claim(nonceOf('n:1'));
    commit(guard);
    const here = rows()[0]?.prints;
    engine.exec("delete from nonce_log; delete from meta where key = 'nonce-salt'");
    const elsewhere = start();
    elsewhere.claim(nonceOf('n:1'));
    commit(elsewhere);
    expect(rows()[0]?.prints).toHaveLength(24);
    expect(rows()[0]?.prints).not.toBe(here);
  });
});
