const steps = new Set<() => void>();

/** Has `step` done when this process ends before the returned function was called, by a signal too. It must be quick and synchronous. */
export function atExit(step: () => void): () => void {
  if (steps.size === 0) process.once('exit', runSteps);
  steps.add(step);
  return () => void steps.delete(step);
}

/** Newest first: servers end before the directory they write to goes. */
function runSteps(): void {
  for (const step of [...steps].reverse()) step();
}

/** Has SIGINT and SIGTERM end this process in an orderly way, so that no server and no gigabytes are left behind. */
export function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
