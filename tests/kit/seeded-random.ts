/** A source of numbers in [0, 1) that gives the same row for the same seed: a failing run can be run again. */
export type Random = () => number;

/** Mulberry32: 32 bits of state, good enough to choose faults with, worth nothing for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `from` to `to`, both included. */
export function wholeBetween(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

/** One of the choices. Throws on none. */
export function oneOf<Choice>(random: Random, choices: readonly Choice[]): Choice {
  const chosen = choices[Math.floor(random() * choices.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}

/** The seed of `OPENMESH_TEST_SEED`, or a fresh one. Tests print it, so that a failure names how to repeat it. */
export function seedOfRun(): number {
  const given = process.env['OPENMESH_TEST_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}
