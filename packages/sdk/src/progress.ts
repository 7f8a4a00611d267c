/** How a transfer stands. */
export interface Progress {
  readonly direction: 'up' | 'down';
  /** Of the content, unpacked; chunks that were taken before the transfer was resumed are counted as done. */
  readonly bytesDone: number;
  /** Undefined for a download of more than one chunk, whose size nobody tells beforehand. */
  readonly bytesTotal: number | undefined;
  readonly chunksDone: number;
  readonly chunksTotal: number;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  /** Undefined until it can be told. */
  readonly secondsLeft: number | undefined;
}

export type OnProgress = (progress: Progress) => void;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

const windowMs = 10_000;
const samplesMax = 100;

export interface MeterParts {
  readonly direction: Progress['direction'];
  readonly bytesTotal: number | undefined;
  readonly chunksTotal: number;
  readonly everyMs: number;
  readonly nowMs: () => number;
  readonly onProgress: OnProgress | undefined;
}

/** Counts what a transfer moved and tells it, no more often than every so many milliseconds. */
export class ProgressMeter {
  readonly #parts: MeterParts;
  readonly #samples: Sample[] = [];
  #bytes = 0;
  #chunks = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: MeterParts, alreadyBytes = 0, alreadyChunks = 0) {
    this.#parts = parts;
    this.#bytes = alreadyBytes;
    this.#chunks = alreadyChunks;
    this.#samples.push({ atMs: parts.nowMs(), bytes: alreadyBytes });
  }

  /** Bytes moved; negative for those of an attempt that failed and will be moved again. */
  moved(bytes: number): void {
    this.#bytes += bytes;
    this.#tell(false);
  }

  chunkDone(): void {
    this.#chunks += 1;
    this.#tell(true);
  }

  #tell(now: boolean): void {
    const { onProgress, nowMs, everyMs, direction, bytesTotal, chunksTotal } = this.#parts;
    const atMs = nowMs();
    if (onProgress === undefined || (!now && atMs - this.#toldAtMs < everyMs)) return;
    this.#toldAtMs = atMs;
    const bytesPerSecond = this.#rate(atMs);
    const left = bytesTotal === undefined ? undefined : bytesTotal - this.#bytes;
    onProgress({
      direction,
      bytesDone: this.#bytes,
      bytesTotal,
      chunksDone: this.#chunks,
      chunksTotal,
      bytesPerSecond,
      secondsLeft:
        left === undefined ? undefined : left <= 0 ? 0 : bytesPerSecond > 0 ? left / bytesPerSecond : undefined,
    });
  }

  #rate(atMs: number): number {
    const samples = this.#samples;
    samples.push({ atMs, bytes: this.#bytes });
    while (samples.length > 2 && (atMs - (samples[0]?.atMs ?? 0) > windowMs || samples.length > samplesMax))
      samples.shift();
    const first = samples[0] ?? { atMs, bytes: 0 };
    const spanMs = atMs - first.atMs;
    return spanMs <= 0 ? 0 : Math.max(0, ((this.#bytes - first.bytes) / spanMs) * 1000);
  }
}
