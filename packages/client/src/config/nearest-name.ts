/** The candidate that is the same name but for case, or that contains it or is contained in it; for "did you mean". */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const wanted = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  if (wanted.length < 3) return undefined;
  const alike = candidates.filter((candidate) => {
    const known = candidate.toLowerCase();
    return known.includes(wanted) || wanted.includes(known);
  });
  return alike.find((candidate) => candidate.toLowerCase() === wanted) ?? alike[0];
}
