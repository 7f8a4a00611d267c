import type { BodyFault, BodyRef, BodyShape, BodySink, DurableBody } from '../bodies.ts';

type SinkState =
  /** Takes bytes. */
  | 'open'
  /** `finish` was called and has not settled. */
  | 'finishing'
  /** Durable; nothing can undo it here. */
  | 'done'
  /** `finish` failed or `abort` was called: the bytes are gone, or left to the orphan sweep. */
  | 'discarded';

/**
 * The life of a body on its way in, whatever the medium: bytes one write after the other, one end, and nothing after it.
 * What a medium does with the bytes is its own.
 */
export abstract class EndingSink implements BodySink {
  readonly #ref: BodyRef;
  readonly #onEnd: (sink: BodySink) => void;
  #state: SinkState = 'open';
  #copying = false;
  #finishing: Promise<DurableBody> | undefined;

  constructor(ref: BodyRef, onEnd: (sink: BodySink) => void) {
    this.#ref = ref;
    this.#onEnd = onEnd;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#state !== 'open') return Promise.reject(new Error('a body that ended takes no bytes'));
    if (this.#copying) return Promise.reject(new Error('wait for the last write before the next'));
    const { fault } = this;
    if (fault !== undefined) return Promise.reject(fault);
    const taken = this.copy(bytes);
    if (taken === bytes.length) return undefined;
    this.#copying = true;
    return this.copyRest(bytes.subarray(taken)).finally(() => {
      this.#copying = false;
    });
  }

  finish(): Promise<DurableBody> {
    if (this.#state !== 'open') return Promise.reject(new Error('a body ends once'));
    if (this.#copying) return Promise.reject(new Error('wait for the last write before finishing'));
    this.#state = 'finishing';
    this.#finishing = this.#complete();
    return this.#finishing;
  }

  async abort(): Promise<void> {
    if (this.#state === 'open') {
      await this.#discard();
    } else {
      await this.#finishing?.catch(() => undefined);
    }
  }

  /** Whether bytes are taken still. */
  protected get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Whether the bytes were given up: memory that comes late has no use. */
  protected get isDiscarded(): boolean {
    return this.#state === 'discarded';
  }

  /** What went wrong beside the caller, and is told at its next call. */
  protected abstract get fault(): BodyFault | undefined;
  /** Copies what there is room for now; answers how much that was. */
  protected abstract copy(bytes: Uint8Array): number;
  /** Copies all of it, waiting for room. */
  protected abstract copyRest(bytes: Uint8Array): Promise<void>;
  /** Makes durable what was taken, and gives all memory back. */
  protected abstract store(): Promise<BodyShape>;
  /** Gives all memory back and removes what was stored; never rejects. */
  protected abstract drop(): Promise<void>;
  /** Turns what the medium threw into the fault the port promises. */
  protected abstract faultOf(error: unknown): BodyFault;

  async #complete(): Promise<DurableBody> {
    try {
      const shape = await this.store();
      this.#state = 'done';
      this.#onEnd(this);
      return { ref: this.#ref, ...shape };
    } catch (error) {
      const fault = this.faultOf(error);
      await this.#discard();
      throw fault;
    }
  }

  async #discard(): Promise<void> {
    this.#state = 'discarded';
    await this.drop();
    this.#onEnd(this);
  }
}
