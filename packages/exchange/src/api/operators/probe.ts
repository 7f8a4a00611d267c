export interface ProbeOutcome {
  readonly ok: boolean;
  /** Why not, in a sentence of our own, never anything a caller wrote; shown only when `ok` is false. */
  readonly reason?: string;
}

/** One thing without which the exchange cannot do its work. */
export interface Probe {
  /** Lower case words joined by hyphens. */
  readonly name: string;
  check(): Promise<ProbeOutcome>;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly reason?: string }[];
}

export interface ReadinessOptions {
  readonly probes: readonly Probe[];
  /** How long one probe may take before it counts as failed. */
  readonly limitMs: number;
  /** Told of a probe that threw. */
  readonly onFault: (probe: string, error: unknown) => void;
}

/**
 * Asks all probes at once; they are asked once however many callers ask at the same time, so that watching a slow
 * disk does not make it slower.
 */
export function createReadiness({ probes, limitMs, onFault }: ReadinessOptions): () => Promise<Readiness> {
  let running: Promise<Readiness> | undefined;
  const askAll = async (): Promise<Readiness> => {
    const checks = await Promise.all(
      probes.map(async (probe) => {
        const { ok, reason } = await askWithin(probe, limitMs, onFault);
        return ok ? { name: probe.name, ok } : { name: probe.name, ok, reason: reason ?? 'no reason was given' };
      }),
    );
    return { ready: checks.every(({ ok }) => ok), checks };
  };
  return () => {
    running ??= askAll().finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function askWithin(
  probe: Probe,
  limitMs: number,
  onFault: (probe: string, error: unknown) => void,
): Promise<ProbeOutcome> {
  const { promise: late, resolve } = Promise.withResolvers<ProbeOutcome>();
  const timer = setTimeout(() => resolve({ ok: false, reason: `no answer within ${limitMs} ms` }), limitMs);
  try {
    return await Promise.race([ask(probe, onFault), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ask(probe: Probe, onFault: (probe: string, error: unknown) => void): Promise<ProbeOutcome> {
  try {
    return await probe.check();
  } catch (error) {
    onFault(probe.name, error);
    return { ok: false, reason: 'the check itself failed; the log says where' };
  }
}
