import { describe, expect, it } from 'vitest';
import { BodyFault } from '../bodies.ts';
import { BufferPool, type IdleHolder } from './buffer-pool.ts';

function poolOf(limit: number): BufferPool {
  return new BufferPool({ bufferBytes: 16, limit });
}

/** A holder that gives its buffer back as soon as it is asked. */
function holderOf(pool: BufferPool, memory: Buffer, asked: string[], name: string): IdleHolder {
  return {
    giveUp: () => {
      asked.push(name);
      pool.give(memory);
    },
  };
}

describe('buffer pool', () => {
  it('hands out no more buffers than its limit, and the same ones again', async () => {
    const pool = poolOf(2);
    const [one, two] = [await pool.take(), await pool.take()];
    expect(pool.tryTake()).toBeUndefined();
    pool.give(one);
    expect(await pool.take()).toBe(one);
    pool.give(two);
    expect(pool.tryTake()).toBe(two);
  });

  it('serves those who wait in the order they came, before anyone who only tries', async () => {
    const pool = poolOf(1);
    const memory = await pool.take();
    const served: number[] = [];
    const waiting = [1, 2, 3].map(async (n) => {
      const taken = await pool.take();
      served.push(n);
      expect(pool.tryTake()).toBeUndefined();
      pool.give(taken);
    });
    pool.give(memory);
    await Promise.all(waiting);
    expect(served).toEqual([1, 2, 3]);
  });

  it('asks the longest idle holder to give up, and only as many as wait', async () => {
    const pool = poolOf(3);
    const asked: string[] = [];
    const holders = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => holderOf(pool, await pool.take(), asked, name)),
    );
    for (const holder of holders) pool.markIdle(holder);
    pool.markIdle(holders[0] as IdleHolder);
    await pool.take();
    expect(asked).toEqual(['b']);
    await pool.take();
    expect(asked).toEqual(['b', 'c']);
  });

  it('asks nobody while enough buffers come back by themselves', async () => {
    const pool = poolOf(2);
    const asked: string[] = [];
    const busy = await pool.take();
    pool.markIdle(holderOf(pool, await pool.take(), asked, 'idle'));
    pool.countReturning(1);
    const waiting = pool.take();
    expect(asked).toEqual([]);
    pool.countReturning(-1);
    pool.give(busy);
    expect(await waiting).toBe(busy);
  });

  it('asks a holder that becomes idle while someone waits already', async () => {
    const pool = poolOf(1);
    const asked: string[] = [];
    const holder = holderOf(pool, await pool.take(), asked, 'late');
    const waiting = pool.take();
    expect(asked).toEqual([]);
    pool.markIdle(holder);
    expect(asked).toEqual(['late']);
    await waiting;
  });

  it('makes a fresh buffer in place of one that must not be reused', async () => {
    const pool = poolOf(1);
    const lost = await pool.take();
    const waiting = pool.take();
    pool.forget();
    expect(await waiting).not.toBe(lost);
    expect(pool.tryTake()).toBeUndefined();
  });

  it('turns away everyone when it is closed', async () => {
    const pool = poolOf(1);
    await pool.take();
    const waiting = pool.take();
    pool.close();
    await expect(waiting).rejects.toThrow(BodyFault);
    await expect(pool.take()).rejects.toThrow(BodyFault);
    expect(pool.tryTake()).toBeUndefined();
  });
});
