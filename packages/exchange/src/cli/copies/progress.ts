import type { CommandIo } from '../command.ts';

const everyMs = 2_000;
const mebibyte = 1024 * 1024;

/** Says on standard error how far long work is, every two seconds at most. */
export function sayProgress<So>(io: CommandIo, says: (so: So) => string): (so: So) => void {
  let saidAt = performance.now();
  return (so) => {
    const now = performance.now();
    if (now - saidAt < everyMs) return;
    saidAt = now;
    io.stderr(`${says(so)}\n`);
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}

/** Says how many bodies could not be checked while they were copied. */
export function sayUnchecked(io: CommandIo, unchecked: number): void {
  if (unchecked === 0) return;
  io.stderr(
    `warning: ${unchecked} bodies were copied by their length alone: the ledger keeps no digest of them, or their keys are not in the key file\n`,
  );
}
