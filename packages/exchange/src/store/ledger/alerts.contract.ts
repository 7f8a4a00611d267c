import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import type { Alert } from './alerts.ts';

const closed: Alert = { code: 'organisation-closed', subject: 'A81001', sentence: 'closed' };
const due: Alert = { code: 'rule-check', subject: 'move-b22', sentence: 'its review was due' };

export function promiseAlerts(at: LedgerSource): void {
  const raise = (alerts: readonly Alert[], atMs: number, againIfToldBeforeMs = 0): Promise<void> =>
    at.ledger.alerts.raise({ alerts, atMs, againIfToldBeforeMs });
  const untold = (seenSinceMs = 0): Promise<readonly Alert[]> => at.ledger.alerts.untold({ seenSinceMs, limit: 9 });

  it('keeps an alert until it was told, the first raised first, after a restart too', async () => {
    await raise([closed], 1);
    await raise([due], 2);
    expect(await (await at.reopen()).alerts.untold({ seenSinceMs: 0, limit: 9 })).toEqual([closed, due]);
    await at.ledger.alerts.told({ alert: closed, atMs: 3 });
    expect(await untold()).toEqual([due]);
  });

  it('tells what stays as it is once, and again when that is long ago or it says something else', async () => {
    await raise([due], 1);
    await at.ledger.alerts.told({ alert: due, atMs: 5 });
    await raise([due], 6, 5);
    expect(await untold()).toEqual([]);
    await raise([due], 7, 6);
    expect(await untold()).toEqual([due]);
    await at.ledger.alerts.told({ alert: due, atMs: 8 });
    const worse = { ...due, sentence: 'its target is gone' };
    await raise([worse], 9);
    expect(await untold()).toEqual([worse]);
  });

  it('counts nothing as told that changed while it was told', async () => {
    await raise([due], 1);
    const worse = { ...due, sentence: 'its target is gone' };
    await raise([worse], 2);
    await at.ledger.alerts.told({ alert: due, atMs: 3 });
    expect(await untold()).toEqual([worse]);
  });

  it('passes over and forgets what was last seen long ago', async () => {
    await raise([closed], 1);
    await raise([due], 5);
    expect(await untold(2)).toEqual([due]);
    expect(await at.ledger.alerts.forget({ beforeMs: 5, limit: 9 })).toBe(1);
    expect(await untold()).toEqual([due]);
  });
}
