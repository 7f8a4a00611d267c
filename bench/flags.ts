import { parseArgs } from 'node:util';

/** One whole-number flag: its default, its limits, and a sentence for `--help`. */
export interface NumberFlag {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

export type NumberFlags = Readonly<Record<string, NumberFlag>>;

/** What a person typed wrongly: printed as a sentence, without a stack. */
export class UsageError extends Error {}

/** Values of whole-number flags (`--seconds 10`), or a UsageError that names the flag and its limits. */
export function readFlags<Flags extends NumberFlags>(
  args: readonly string[],
  flags: Flags,
): { readonly [Name in keyof Flags]: number } {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }]));
  let typed: Readonly<Record<string, string | boolean | undefined>>;
  try {
    typed = parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const entries = Object.entries(flags).map(([name, flag]) => {
    const text = typed[name];
    const value = typeof text === 'string' ? Number(text) : flag.default;
    if (!Number.isInteger(value) || value < flag.min || value > flag.max) {
      throw new UsageError(`--${name} must be a whole number from ${flag.min} to ${flag.max}, not "${String(text)}".`);
    }
    return [name, value];
  });
  return Object.fromEntries(entries) as { readonly [Name in keyof Flags]: number };
}

/** The lines of `--help` for some flags. */
export function describeFlags(flags: NumberFlags): string {
  return Object.entries(flags)
    .map(([name, flag]) => `  --${name.padEnd(14)} ${flag.help} (default ${flag.default})`)
    .join('\n');
}
