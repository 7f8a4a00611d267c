import { readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const name = 'mexclient.sig';

/** File times are coarser than clocks on some disks. */
const clockGrainMs = 2000;

/**
 * The signal file by which somebody asks the client to stop. One that lay there before the client began asks for nothing.
 * From then on any other counts, whatever its time says: clocks are set while we run, and those of shares differ.
 */
export class SignalFile {
  readonly #file: string;
  /** Of the file that was there at the beginning. */
  readonly #stale: string | undefined;

  private constructor(file: string, stale: string | undefined) {
    this.#file = file;
    this.#stale = stale;
  }

  /** Looks at what is there at the beginning, for a process that began at `startedMs`. */
  static async in(folder: string, startedMs: number): Promise<SignalFile> {
    const file = signalFileIn(folder);
    const seen = await see(file);
    const isSince =
      seen !== undefined && seen.modifiedMs >= startedMs - clockGrainMs && seen.modifiedMs <= Date.now() + clockGrainMs;
    return new SignalFile(file, isSince ? undefined : seen?.print);
  }

  /** True when somebody asked: the file is not empty and not the old one. It is removed, so as not to stop the next start. */
  async take(): Promise<boolean> {
    try {
      const seen = await see(this.#file);
      if (seen === undefined || seen.print === this.#stale) return false;
      if ((await readFile(this.#file, 'latin1')).trim() === '') return false;
      await unlink(this.#file);
      return true;
    } catch {
      // It is not yet readable: the next look tells.
      return false;
    }
  }
}

async function see(file: string): Promise<{ readonly print: string; readonly modifiedMs: number } | undefined> {
  try {
    const { mtimeMs, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true });
    return { print: `${mtimeNs}:${ctimeNs}:${ino}`, modifiedMs: Number(mtimeMs) };
  } catch {
    return undefined;
  }
}

export function signalFileIn(folder: string): string {
  return join(folder, name);
}
