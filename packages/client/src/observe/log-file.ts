import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel, LogLine } from './log.ts';

export interface LogFileOptions {
  readonly folder: string;
  readonly bytesMax: number;
  readonly filesKept: number;
}

/**
 * `mesh.log` in the form the Java client gave it: time, thread padded to 20, level padded to 5, component padded to 20,
 * text; put aside at a size. Lines are written before the call returns, so that a crash loses none.
 */
export class LogFile implements Disposable {
  readonly #options: LogFileOptions;
  readonly #path: string;
  #descriptor: number;
  #bytes: number;

  constructor(options: LogFileOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
    this.#path = join(options.folder, 'mesh.log');
    this.#descriptor = openSync(this.#path, 'a', 0o640);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  write(line: LogLine, at: Date): void {
    const bytes = Buffer.from(`${javaLine(line, at)}\n`);
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.bytesMax) this.#putAside();
    writeSync(this.#descriptor, bytes);
    this.#bytes += bytes.length;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #putAside(): void {
    closeSync(this.#descriptor);
    rmSync(`${this.#path}.${this.#options.filesKept}`, { force: true });
    for (let number = this.#options.filesKept - 1; number >= 1; number -= 1) {
      if (existsSync(`${this.#path}.${number}`)) renameSync(`${this.#path}.${number}`, `${this.#path}.${number + 1}`);
    }
    renameSync(this.#path, `${this.#path}.1`);
    this.#descriptor = openSync(this.#path, 'a', 0o640);
    this.#bytes = 0;
  }
}

const levels: Readonly<Record<LogLevel, string>> = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' };

/** One line; what would break it into two becomes a blank. */
export function javaLine({ level, component, mailbox, text }: LogLine, at: Date): string {
  const thread = mailbox === undefined ? 'main' : `Mailbox:${mailbox}`;
  const oneLine = text.replace(/\p{Cc}+/gu, ' ');
  return `${localTime(at)}:[${thread.padEnd(20)}]:${levels[level].padEnd(5)}:${component.padEnd(20)}:${oneLine}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Of this machine, as log4j writes it: `yyyy-MM-dd HH:mm:ss,SSS`. */
function localTime(at: Date): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day} ${time},${String(at.getMilliseconds()).padStart(3, '0')}`;
}
