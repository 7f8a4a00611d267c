/** A person who wants it to end at once takes longer to say so. */
const sameRequestMs = 1000;

/**
 * Whether a signal is a request to stop of its own. A service manager, or a terminal, signals every process of a group:
 * where a launcher started us it passes on what we have got already, and the second copy of one request must not cut
 * short what the first one lets finish.
 */
export function createStopRequests(elapsedMs: () => number): () => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = elapsedMs();
    if (nowMs - lastMs < sameRequestMs) return false;
    lastMs = nowMs;
    return true;
  };
}
