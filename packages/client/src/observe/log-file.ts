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
 * text; put aside at a size. Lines are written before the call returns, so that a crash loses none. A log that cannot be
 * written, for its disk is full, stops no message: the lines missing are counted, and said when there is room.
 */
export class LogFile implements Disposable {
  readonly #options: LogFileOptions;
  readonly #path: string;
  #descriptor: number | undefined;
  #bytes = 0;
  #missing = 0;

  constructor(options: LogFileOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
    this.#path = join(options.folder, 'mesh.log');
    this.#descriptor = this.#open();
  }

  write(line: LogLine, at: Date): void {
    const text = `${javaLine(line, at)}\n`;
    try {
      this.#put(Buffer.from(this.#missing === 0 ? text : `${this.#said(at)}${text}`));
      this.#missing = 0;
    } catch {
      this.#missing += 1;
      this.#letGo();
    }
  }

  [Symbol.dispose](): void {
    this.#letGo();
  }

  /** Forgotten first: once closed, its number may be another file's. */
  #letGo(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor === undefined) return;
    try {
      closeSync(descriptor);
    } catch {
      // It is closed all the same, and whose bytes it lost cannot be known any more.
    }
  }

  /** What could not be written may have got as far as half a line. */
  #said(at: Date): string {
    const text = `${this.#missing} lines are missing here, because the log could not be written`;
    return `\n${javaLine({ level: 'warn', event: 'log-incomplete', component: 'MeshClient', text }, at)}\n`;
  }

  #put(bytes: Buffer): void {
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.bytesMax) this.#putAside();
    this.#descriptor ??= this.#open();
    for (let written = 0; written < bytes.length; ) {
      const taken = writeSync(this.#descriptor, bytes, written);
      written += taken;
      this.#bytes += taken;
    }
  }

  #open(): number {
    const descriptor = openSync(this.#path, 'a', 0o640);
    this.#bytes = fstatSync(descriptor).size;
    return descriptor;
  }

  #putAside(): void {
    this.#letGo();
    if (!existsSync(this.#path)) return;
    rmSync(`${this.#path}.${this.#options.filesKept}`, { force: true });
    for (let number = this.#options.filesKept - 1; number >= 1; number -= 1) {
      if (existsSync(`${this.#path}.${number}`)) renameSync(`${this.#path}.${number}`, `${this.#path}.${number + 1}`);
    }
    renameSync(this.#path, `${this.#path}.1`);
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
