import type { AdminSession } from '../cli/admin-session.ts';
import type { Config } from '../config/config.ts';
import { serveKeys } from '../keys/keys-at-hand.ts';
import { sealWithKeys } from '../mailbox/sealer.ts';
import { systemClock } from './clocks.ts';
import { openKeys, openLedger } from './stores.ts';

/** Opens what an admin command works on; an exchange may be running on the same ledger. */
export async function openForAdmin(config: Config): Promise<AdminSession> {
  const keys = openKeys(config, systemClock);
  const ledger = await openLedger(config, { onBroken: () => undefined });
  return { ledger, sealer: sealWithKeys(keys), keys: serveKeys(keys), close: () => ledger.close() };
}
