import { describe, expect, it } from 'vitest';
import { createSpanClock } from './span-clock.ts';

/** A machine whose clock shows whole milliseconds of a time that goes on exactly. */
class Machine {
  #exactMs = 1_800_000_000_000.6;
  #setMs = 0;
  readonly nowMs = (): number => Math.floor(this.#exactMs + this.#setMs);
  readonly elapsedMs = (): number => this.#exactMs - 1_700_000_000_000;

  pass(ms: number): void {
    this.#exactMs += ms;
  }

  set(byMs: number): void {
    this.#setMs += byMs;
  }
}

describe('the time of spans', () => {
  it('tells what came first within a millisecond, however the machine’s clock cuts it off', () => {
    const machine = new Machine();
    const clock = createSpanClock(machine);
    let before = clock();
    for (let step = 0; step < 1000; step += 1) {
      machine.pass(0.07);
      const now = clock();
      expect(now - before).toBeCloseTo(0.07, 3);
      before = now;
    }
    expect(Math.abs(clock() - machine.nowMs())).toBeLessThan(2);
  });

  it.each([3_600_000, -3_600_000])('follows the machine’s clock when it is set by %i ms', (byMs) => {
    const machine = new Machine();
    const clock = createSpanClock(machine);
    machine.set(byMs);
    expect(Math.abs(clock() - machine.nowMs())).toBeLessThan(2);
  });
});
