/** How much of a surname must agree. */
export type SurnameMatch = 'first-three' | 'full';

const comparedLetters = 3;

/** What is compared of a surname: its letters A to Z in upper case, marks and everything else removed. */
export function normaliseSurname(surname: string): string {
  return surname
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toUpperCase()
    .replaceAll(/[^A-Z]/g, '');
}

/**
 * Whether two surnames agree: in their first three letters, or wholly when one is shorter or the rule is 'full'. A
 * surname without any letter from A to Z agrees with none.
 */
export function surnamesAgree(one: string, other: string, rule: SurnameMatch): boolean {
  const [a, b] = [normaliseSurname(one), normaliseSurname(other)];
  if (a === '' || b === '') return false;
  if (rule === 'full' || a.length < comparedLetters || b.length < comparedLetters) return a === b;
  return a.slice(0, comparedLetters) === b.slice(0, comparedLetters);
}
