import type { CommandIo } from './command.ts';

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/g;

/** Stored text as it may be shown on a terminal: what would move its cursor or colour it is replaced. */
export function plain(text: string): string {
  return text.replace(controlCharacters, '\uFFFD');
}

export function printJson(io: CommandIo, value: unknown): void {
  io.stdout(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Columns as wide as their widest cell, the last one unpadded. */
export function printTable(io: CommandIo, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [header, ...rows].map((row) => row.map(plain));
  const widths = header.map((_, column) => lines.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0));
  for (const row of lines) {
    io.stdout(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

/** ISO 8601, UTC; '-' for a time that has not come. */
export function instantText(ms: number | null): string {
  return ms === null ? '-' : new Date(ms).toISOString();
}
