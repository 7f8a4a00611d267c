/** Members of a JSON value that came from outside, read without trusting its shape. */

export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

export function textOf(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === 'string' ? member : undefined;
}

/** The elements of an array; none where there is no array. */
export function listOf(value: unknown, name: string): readonly unknown[] {
  return listOrNothing(value, name) ?? [];
}

/** The elements of an array, none of a member that is absent; undefined when it is something else. */
export function listOrNothing(value: unknown, name: string): readonly unknown[] | undefined {
  const member = memberOf(value, name);
  if (member === undefined) return [];
  return Array.isArray(member) ? (member as readonly unknown[]) : undefined;
}
