import type { Probe } from '../api/operators/probe.ts';
import type { Bodies } from '../store/bodies.ts';
import { type Ledger, LedgerFileLost } from '../store/ledger.ts';

/** Without these the exchange cannot do its work: what readiness asks. */
export function composeProbes(parts: {
  readonly ledger: Ledger;
  readonly bodies: Bodies;
  /** What the ledger has told of itself so far. */
  readonly state: { readonly broken: boolean; readonly ledgerFileLost: boolean };
  readonly isStopping: () => boolean;
}): readonly Probe[] {
  const { ledger, bodies, state, isStopping } = parts;
  return [
    {
      name: 'ledger',
      async check() {
        if (state.broken) return { ok: false, reason: 'the ledger failed a write or a flush and has stopped' };
        await ledger.registry.version();
        return state.ledgerFileLost ? { ok: false, reason: new LedgerFileLost().message } : { ok: true };
      },
    },
    {
      name: 'disk',
      async check() {
        const left = await bodies.freeBytes();
        return left > 0
          ? { ok: true }
          : { ok: false, reason: 'the body store has reached its reserve: sending answers 503' };
      },
    },
    {
      name: 'stopping',
      check: () => Promise.resolve(isStopping() ? { ok: false, reason: 'the exchange is stopping' } : { ok: true }),
    },
  ];
}
