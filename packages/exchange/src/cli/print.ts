import { terminalJson, terminalText } from '@openmesh/protocol';
import type { CommandIo } from './command.ts';

export { terminalText as plain } from '@openmesh/protocol';

export function printJson(io: CommandIo, value: unknown): void {
  io.stdout(`${terminalJson(value, 2)}\n`);
}

/** Columns as wide as their widest cell, the last one unpadded. */
export function printTable(io: CommandIo, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [header, ...rows].map((row) => row.map(terminalText));
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
