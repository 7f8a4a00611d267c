/** A pause that something may end early. */
export class Alarm {
  #ring: (() => void) | undefined;

  /** Resolves after so many milliseconds, when woken, or when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#ring = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.#ring = done;
    });
  }

  wake(): void {
    this.#ring?.();
  }
}
