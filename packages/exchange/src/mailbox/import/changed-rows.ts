import { EntryProblem } from './member-readers.ts';

export interface KindCounts {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/** Whether two rows of one table say the same; their members are texts, numbers, flags, nulls, lists of texts and rows. */
function sameRow(a: object, b: object): boolean {
  const other = b as Readonly<Record<string, unknown>>;
  return Object.entries(a).every(([member, value]) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return sameRow(value as object, other[member] as object);
    }
    if (!Array.isArray(value)) return value === other[member];
    const list = other[member] as readonly unknown[];
    return value.length === list.length && value.every((item, index) => item === list[index]);
  });
}

/** Rows of one kind that an import names: those that differ from what is there, and how many are of which sort. */
export class ChangedRows<Row extends object> {
  readonly write: Row[] = [];
  readonly #lineOf = new Map<string, number>();
  added = 0;
  changed = 0;
  unchanged = 0;

  /** Throws `EntryProblem` when the row was given by an earlier line. */
  put(key: string, line: number, row: Row, before: Row | undefined): void {
    const earlier = this.#lineOf.get(key);
    if (earlier !== undefined) throw new EntryProblem(`says again what line ${earlier} says`);
    this.#lineOf.set(key, line);
    if (before === undefined) this.added += 1;
    else if (sameRow(row, before)) this.unchanged += 1;
    else this.changed += 1;
    if (before === undefined || !sameRow(row, before)) this.write.push(row);
  }

  has(key: string): boolean {
    return this.#lineOf.has(key);
  }

  counts(): KindCounts {
    return { added: this.added, changed: this.changed, unchanged: this.unchanged };
  }
}
