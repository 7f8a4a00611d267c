import { join } from 'node:path';
import type { ControlFile } from '../control-file/control-file.ts';
import type { PairSeen } from './out-folder.ts';
import { dataSource } from './pair-payload.ts';
import { readControl } from './read-control.ts';

/** What a pair says and, where that is little, holds. */
export interface PairContents {
  /** Undefined where it cannot be read as one; `changed` where it is no longer what was looked at. */
  readonly control: ControlFile | 'changed' | undefined;
  /** Undefined where it is not small, or is no longer what was looked at: then it is read as it is sent. */
  readonly data: Uint8Array | undefined;
}

/** Data up to this size is held in memory while the pair before it is on its way. */
const smallBytesMax = 64 * 1024;

/** Reads the next pair while another is being sent: of small files the disk would otherwise take a third of the time. */
export class ReadAhead {
  readonly #out: string;
  readonly #begun = new Map<PairSeen, Promise<PairContents>>();

  constructor(out: string) {
    this.#out = out;
  }

  begin(pair: PairSeen): void {
    if (this.#begun.has(pair)) return;
    const reading = this.#read(pair);
    // Who takes it hears of the failure; a turn that ends before that has no use for it.
    reading.catch(() => undefined);
    this.#begun.set(pair, reading);
  }

  /** Throws what reading the control file threw. */
  take(pair: PairSeen): Promise<PairContents> {
    const begun = this.#begun.get(pair) ?? this.#read(pair);
    this.#begun.delete(pair);
    return begun;
  }

  async #read({ controlName, control: { print }, dataName, data }: PairSeen): Promise<PairContents> {
    const isSmall =
      dataName !== undefined && data !== undefined && data.sizeBytes > 0 && data.sizeBytes <= smallBytesMax;
    const [control, bytes] = await Promise.all([
      readControl(join(this.#out, controlName), print),
      isSmall ? readWhole(join(this.#out, dataName), data.print).catch(() => undefined) : undefined,
    ]);
    return { control, data: bytes };
  }
}

async function readWhole(path: string, print: string): Promise<Uint8Array> {
  const payload = await dataSource(path, print).open(undefined);
  try {
    const whole = Buffer.alloc(payload.sizeBytes);
    let filled = 0;
    for await (const block of payload.read({ start: 0, end: whole.length }, undefined)) {
      whole.set(block, filled);
      filled += block.length;
    }
    return whole;
  } finally {
    await payload.close();
  }
}
