/** The candidate fewest single-letter changes away, when that is at most two; for "did you mean". */
export function nearestName<Name extends string>(name: string, candidates: readonly Name[]): Name | undefined {
  const changesMax = 2;
  let nearest: { readonly candidate: Name; readonly changes: number } | undefined;
  for (const candidate of candidates) {
    // The longest setting is far shorter; a longer name is no misspelling and would only cost time.
    if (Math.abs(candidate.length - name.length) > changesMax) continue;
    const changes = countChanges(name, candidate);
    if (changes <= changesMax && changes < (nearest?.changes ?? Number.POSITIVE_INFINITY))
      nearest = { candidate, changes };
  }
  return nearest?.candidate;
}

/** Letters to insert, remove or replace to make one text of the other. */
function countChanges(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let above = 1; above <= from.length; above += 1) {
    const next = [above];
    for (let left = 1; left <= to.length; left += 1) {
      const replaced = (row[left - 1] ?? 0) + (from[above - 1] === to[left - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[left] ?? 0) + 1, (next[left - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
