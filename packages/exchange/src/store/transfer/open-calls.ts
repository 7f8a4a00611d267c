import { BodyFault, type BodySink } from '../bodies.ts';
import type { ReadRoom } from './block-reader.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { HashCrew } from './hash-crew.ts';

/** What a store shares between its bodies, and lets go of when it closes. */
export interface StoreParts {
  readonly sinks: ReadonlySet<BodySink>;
  /** Memory of those who write. */
  readonly writing: BufferPool;
  readonly reading: Pick<ReadRoom, 'blocks' | 'sources'>;
  readonly crew: HashCrew;
}

/** The calls of a body store that are in progress, and its one closing, which waits for them. */
export class OpenCalls {
  readonly #calls = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** Throws `BodyFault` once the store is closing. */
  assertOpen(): void {
    if (this.#closing !== undefined) throw new BodyFault('io', 'the body store is closed');
  }

  /** Runs a call that closing waits for. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.assertOpen();
    const running = call();
    this.#calls.add(running);
    try {
      return await running;
    } finally {
      this.#calls.delete(running);
    }
  }

  /**
   * Bodies being finished and blocks being read are waited for; bodies nobody finished can no longer be accepted and are
   * dropped.
   */
  close(parts: StoreParts): Promise<void> {
    this.#closing ??= this.#close(parts);
    return this.#closing;
  }

  async #close({ sinks, writing, reading, crew }: StoreParts): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    await Promise.all([...sinks].map((sink) => sink.abort()));
    writing.close();
    reading.blocks.close();
    await Promise.all([...reading.sources].map((source) => source.close()));
    await crew.close();
  }
}
