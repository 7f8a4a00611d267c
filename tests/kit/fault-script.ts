export type DiskOperation =
  | 'create'
  | 'open'
  | 'write'
  | 'read'
  | 'sync'
  | 'syncDirectory'
  | 'makeDirectory'
  | 'readDirectory'
  | 'unlink'
  | 'modifiedAtMs'
  | 'removeDirectory'
  | 'close'
  | 'freeBytes';

export type DiskFaultKind =
  /** The call rejects with this code and does nothing; a failed sync loses what it should have flushed. */
  | 'EIO'
  | 'ENOSPC'
  | 'EDQUOT'
  /** Half of the bytes are written or read, at least one. */
  | 'short'
  /** No byte is written or read, and no error told. */
  | 'nothing'
  /** One bit of the bytes written or read is wrong. */
  | 'flip';

export type DiskFault =
  /** The nth call (1-based, counted from the moment the fault was set) of this operation goes wrong. */
  | { readonly operation: DiskOperation; readonly nth: number; readonly kind: DiskFaultKind }
  /** Every write from here on is refused once this many bytes were taken, until the faults are lifted. */
  | { readonly operation: 'write'; readonly afterBytes: number; readonly kind: 'ENOSPC' | 'EDQUOT' };

/** An error as the operating system's calls throw it. */
export function systemError(code: string, operation: DiskOperation): Error {
  return Object.assign(new Error(`${code}: made up by the test, ${operation}`), { code, syscall: operation });
}

/** Decides which call goes wrong, and counts calls. */
export class FaultScript {
  #faults: { fault: DiskFault; calls: number; bytes: number }[] = [];
  readonly #counts = new Map<DiskOperation, number>();

  set(faults: readonly DiskFault[]): void {
    this.#faults = faults.map((fault) => ({ fault, calls: 0, bytes: 0 }));
  }

  /** Calls of this operation so far, failed ones included. */
  count(operation: DiskOperation): number {
    return this.#counts.get(operation) ?? 0;
  }

  /** Counts a call; answers what should go wrong with it. Throws where the call should reject. */
  enter(operation: DiskOperation, bytes = 0): 'short' | 'nothing' | 'flip' | undefined {
    this.#counts.set(operation, this.count(operation) + 1);
    const kind = this.#strike(operation, bytes);
    switch (kind) {
      case 'EIO':
      case 'ENOSPC':
      case 'EDQUOT':
        throw systemError(kind, operation);
      case 'short':
      case 'nothing':
      case 'flip':
      case undefined:
        return kind;
    }
  }

  #strike(operation: DiskOperation, bytes: number): DiskFaultKind | undefined {
    let struck: DiskFaultKind | undefined;
    for (const entry of this.#faults) {
      if (entry.fault.operation !== operation) continue;
      entry.calls += 1;
      if ('nth' in entry.fault) {
        if (entry.calls === entry.fault.nth) struck ??= entry.fault.kind;
      } else if (entry.bytes + bytes > entry.fault.afterBytes) {
        struck ??= entry.fault.kind;
      } else {
        entry.bytes += bytes;
      }
    }
    return struck;
  }
}
