import type { Config } from '../config/config.ts';
import { type LedgerProblemKind, ledgerProblemText } from '../store/ledger-problem.ts';
import { askDurability } from '../store/sql/postgres/ledger.ts';

export interface LedgerFinding {
  /** Whether an exchange would refuse to start on it. */
  readonly refused: boolean;
  readonly kind: LedgerProblemKind;
  readonly text: string;
}

/** What is wrong with the database that is to keep the records; nothing for a file. Asks it, and changes nothing. */
export async function checkLedger({ ledger }: Pick<Config, 'ledger'>): Promise<readonly LedgerFinding[]> {
  if (ledger.engine === 'sqlite') return [];
  const kinds = await askDurability(ledger.url.reveal());
  return kinds.map((kind) => ({
    // What cannot be reached now may be up when the exchange starts.
    refused: kind !== 'unreachable' && ledger.unsafeServer === 'refuse',
    kind,
    text: ledgerProblemText(kind),
  }));
}
