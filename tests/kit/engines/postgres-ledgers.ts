import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import { openPostgresLedger, type PostgresLedgerOptions } from '@openmesh/exchange/store/sql/postgres/ledger.ts';

/** A ledger on the database, as one node opens it; the server need not flush. */
export function openNode(url: string, options: Partial<PostgresLedgerOptions> = {}): Promise<Ledger> {
  return openPostgresLedger({ url, profile: 'live', queueMax: 10_000, onUnsafeServer: () => undefined, ...options });
}
