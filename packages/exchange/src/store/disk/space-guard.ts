import { BodyFault } from '../bodies.ts';
import type { FileSystem } from './file-system.ts';

/** A measurement is believed for this long, or until this many bytes were written on top of it. */
const believedMs = 1_000;
const believedBytes = 64 * 1024 * 1024;

export interface SpaceGuardOptions {
  readonly root: string;
  /** Directories whose file systems have the same reserve to keep; what is booked is not written there. */
  readonly besides?: readonly string[];
  readonly fileSystem: Pick<FileSystem, 'freeBytes'>;
  readonly reserveBytes: number;
  readonly clock: { nowMs(): number };
}

/**
 * Keeps a reserve of the disk free, so that acknowledging and downloading go on when sending has to stop. The free
 * space is measured at most once a second or every 64 MiB; what was written since is subtracted.
 */
export class SpaceGuard {
  readonly #options: SpaceGuardOptions;
  #measuredBytes = 0;
  #besidesBytes = Number.POSITIVE_INFINITY;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #writtenBytes = 0;
  #measuring: Promise<void> | undefined;

  constructor(options: SpaceGuardOptions) {
    this.#options = options;
  }

  /** Bytes that may still be written before the reserve is touched; never negative. */
  async freeBytes(): Promise<number> {
    const ageMs = this.#options.clock.nowMs() - this.#measuredAtMs;
    // A clock that was set back makes the age negative: measure again.
    if (ageMs < 0 || ageMs >= believedMs || this.#writtenBytes >= believedBytes) await this.#measure();
    const freeBytes = Math.min(this.#measuredBytes - this.#writtenBytes, this.#besidesBytes);
    return Math.max(0, freeBytes - this.#options.reserveBytes);
  }

  /** Books `bytes` about to be written; throws `BodyFault` 'disk-full' when they would touch the reserve. */
  async admit(bytes: number): Promise<void> {
    const free = await this.freeBytes();
    if (free <= bytes) throw new BodyFault('disk-full', 'the reserve of free space would be touched');
    this.#writtenBytes += bytes;
  }

  #measure(): Promise<void> {
    this.#measuring ??= this.#measureNow().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measureNow(): Promise<void> {
    const writtenBefore = this.#writtenBytes;
    const { fileSystem, root, besides = [], clock } = this.#options;
    const measured = await Promise.all([root, ...besides].map((path) => fileSystem.freeBytes(path)));
    [this.#measuredBytes = 0] = measured;
    this.#besidesBytes = Math.min(...measured.slice(1));
    this.#measuredAtMs = clock.nowMs();
    // What was booked while the system was asked may or may not be in its answer: assume it is not.
    this.#writtenBytes -= writtenBefore;
  }
}
