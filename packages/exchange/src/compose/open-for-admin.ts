import type { AdminSession } from '../cli/admin-session.ts';
import type { Config } from '../config/config.ts';
import { openLedger, openSealer } from './stores.ts';

/** Opens what an admin command works on; an exchange may be running on the same ledger. */
export async function openForAdmin(config: Config): Promise<AdminSession> {
  const sealer = openSealer(config);
  const ledger = await openLedger(config, { onBroken: () => undefined });
  return { ledger, sealer, close: () => ledger.close() };
}
