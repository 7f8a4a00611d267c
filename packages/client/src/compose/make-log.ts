import type { Log, LogLevel } from '../observe/log.ts';
import type { LogFile } from '../observe/log-file.ts';

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Every line to `mesh.log`, and as JSON to standard output; below `level` to neither. */
export function makeLog(
  file: LogFile | undefined,
  stdout: ((text: string) => void) | undefined,
  level: LogLevel = 'info',
): Log {
  return (line) => {
    if (order[line.level] < order[level]) return;
    const at = new Date();
    file?.write(line, at);
    const { fields, ...rest } = line;
    stdout?.(`${JSON.stringify({ time: at.toISOString(), ...rest, ...fields })}\n`);
  };
}
