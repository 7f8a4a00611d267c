import type { AlertLedger } from './ledger/alerts.ts';
import type { AuditLedger } from './ledger/audit.ts';
import type { DirectoryLedger } from './ledger/directory.ts';
import type { JobLedger } from './ledger/jobs.ts';
import type { KeyLedger } from './ledger/keys.ts';
import type { MessageLedger } from './ledger/messages.ts';
import type { NonceLedger } from './ledger/nonces.ts';
import type { RefusalLedger } from './ledger/refusals.ts';
import type { RegistryLedger } from './ledger/registry.ts';
import type { ResolvingLedger } from './ledger/resolving.ts';
import type { RoutingLedger } from './ledger/routing.ts';

/**
 * The record book: what may be asked of it, in small ports. A method is one whole command with its data and with ids
 * made by the caller; it may be applied twice with the same result; it answers after the commit that contains it.
 * No open transaction exists outside `store/`. A refusal is a returned value; a rejection is always a `LedgerFault`.
 */
export interface Ledger {
  readonly messages: MessageLedger;
  readonly nonces: NonceLedger;
  readonly registry: RegistryLedger;
  readonly routing: RoutingLedger;
  readonly refusals: RefusalLedger;
  readonly audit: AuditLedger;
  readonly jobs: JobLedger;
  readonly resolving: ResolvingLedger;
  readonly directory: DirectoryLedger;
  readonly keys: KeyLedger;
  readonly alerts: AlertLedger;
  /** Commands waiting or in flight: what the porch sheds load by. */
  waiting(): number;
  /** Settles what is in flight, then lets go of the engine. */
  close(): Promise<void>;
}

export type LedgerFaultKind =
  /** No space: the command left no trace; the ledger goes on and the same command may be tried again. */
  | 'full'
  /** The ledger is away or overloaded: the command left no trace. */
  | 'unavailable'
  /** A flush or a commit failed in a way that leaves the outcome unknown: the process must stop and recover at start. */
  | 'broken'
  /** The command itself is impossible: a defect of ours. */
  | 'defect';

export class LedgerFault extends Error {
  readonly kind: LedgerFaultKind;
  constructor(kind: LedgerFaultKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LedgerFault';
    this.kind = kind;
  }
}

/** The file of the ledger was removed or replaced while it was open: what is written now is gone with the process. */
export class LedgerFileLost extends LedgerFault {
  constructor() {
    super(
      'unavailable',
      'the file of the ledger was removed, or another lies in its place: nothing is taken until it is back; ' +
        'if it is gone, stop the exchange, restore the ledger from a backup and start again',
    );
    this.name = 'LedgerFileLost';
  }
}

/** This machine's clock and the ledger's are too far apart for anything to be done because time passed: an operator is to set one. */
export class ClockApart extends LedgerFault {
  constructor(apartMs: number) {
    const seconds = Math.round(Math.abs(apartMs) / 1000);
    super(
      'unavailable',
      `the clock of this machine is ${seconds} s ${apartMs > 0 ? 'behind' : 'ahead of'} the database's`,
    );
    this.name = 'ClockApart';
  }
}
