/** Why a database cannot be taken as a ledger. */
export type LedgerProblemKind = 'unreachable' | UnsafeSetting;

/** Settings of a database by which it answers what it has not kept. */
export type UnsafeSetting = 'fsync' | 'full_page_writes' | 'synchronous_commit' | 'data_sync_retry';

interface ProblemEntry {
  readonly sentence: string;
  /** Who can fix it, and how. */
  readonly hint: string;
}

/** Each problem in a sentence, and what to do; docs/operate/postgres.md shows the same table. */
export const ledgerProblems: Readonly<Record<LedgerProblemKind, ProblemEntry>> = {
  unreachable: {
    sentence: 'no primary answers at its address',
    hint: 'check OPENMESH_LEDGER, the name service, the password and the firewall; the database may be down or switching over: start again when it is up',
  },
  fsync: {
    sentence: 'fsync is off, so what was accepted does not survive a power cut',
    hint: 'set fsync = on in postgresql.conf and restart PostgreSQL',
  },
  full_page_writes: {
    sentence: 'full_page_writes is off, so a page that was half written in a power cut cannot be mended',
    hint: 'set full_page_writes = on in postgresql.conf and reload; where its file system writes a page whole or not at all, set OPENMESH_LEDGER_UNSAFE_SERVER=warn',
  },
  synchronous_commit: {
    sentence:
      'synchronous_commit stays off for the connections of the exchange, so commits are answered before they are kept',
    hint: 'let the role of the exchange set synchronous_commit, and have no pooler in between that drops it',
  },
  data_sync_retry: {
    sentence: 'data_sync_retry is on, so a flush that failed is tried again although its bytes may be gone',
    hint: 'set data_sync_retry = off in postgresql.conf and restart PostgreSQL',
  },
};

/** A database cannot be taken as a ledger; the sentence says why and who can fix it, and holds no secret. */
export class LedgerProblem extends Error {
  readonly kind: LedgerProblemKind;
  constructor(kind: LedgerProblemKind, cause?: unknown) {
    super(`the ledger cannot be used: ${ledgerProblemText(kind)}`, { cause });
    this.name = 'LedgerProblem';
    this.kind = kind;
  }
}

/** Sentence and hint. */
export function ledgerProblemText(kind: LedgerProblemKind): string {
  const { sentence, hint } = ledgerProblems[kind];
  return `${sentence}; ${hint}`;
}

export const ledgerUnfitCode = 'OPENMESH_LEDGER_UNFIT';

/** The ledger is sound, and not for an exchange that is set up as this one: of a later version, or of the other profile. */
export class LedgerUnfit extends Error {
  /** Comes along where an error goes from one thread to another and its class is lost. */
  readonly code = ledgerUnfitCode;
  constructor(message: string) {
    super(message);
    this.name = 'LedgerUnfit';
  }
}

export function unfitByVersion(schema: number, known: number): LedgerUnfit {
  return new LedgerUnfit(
    `the ledger has schema ${schema}, and this version knows ${known}: start the version that served it last, or a later one`,
  );
}

/** A ledger remembers the profile it was made for. */
export function unfitByProfile(made: string, wanted: string): LedgerUnfit {
  return new LedgerUnfit(
    `the ledger was made by the ${made} profile and is refused by the ${wanted} profile: set OPENMESH_PROFILE=${made}, or name another OPENMESH_LEDGER`,
  );
}

/** Another process has the ledger, which is a file, to itself: it serves, restores or moves it. */
export class LedgerServed extends Error {
  constructor(cause: unknown) {
    super(
      'another exchange serves this ledger, and neither would know which tokens the other has taken; or a command restores ' +
        'or moves it: stop that one, or give this one a ledger of its own (several nodes share one in PostgreSQL)',
      { cause },
    );
    this.name = 'LedgerServed';
  }
}
