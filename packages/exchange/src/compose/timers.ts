/** A small repeated duty of this process. */
export interface Duty {
  readonly name: string;
  readonly everyMs: number;
  act(): Promise<unknown>;
}

/** Starts the duties; one that is still running is not started again. The answer stops them all. */
export function startTimers(duties: readonly Duty[], failed: (name: string, error: unknown) => void): () => void {
  const timers = duties.map((duty) => {
    let running = false;
    const tick = async (): Promise<void> => {
      if (running) return;
      running = true;
      try {
        await duty.act();
      } catch (error) {
        failed(duty.name, error);
      } finally {
        running = false;
      }
    };
    return setInterval(() => void tick(), duty.everyMs).unref();
  });
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
