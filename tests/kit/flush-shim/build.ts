import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = ['shim.c', 'names.c', 'journal.c', 'faults.c', 'bypasses.c'];

/** The shim as a library to preload, in a temporary folder of its own. */
export interface FlushShim {
  /** Environment of a process whose calls below `root` are to be watched. */
  env(options: FlushShimOptions): Record<string, string>;
  /** Removes the library; processes that loaded it go on. */
  remove(): void;
}

export interface FlushShimOptions {
  /** The watched folder; it must exist. */
  readonly root: string;
  /** Where changes and flushes are written down; without it only faults are at work. */
  readonly journal?: string;
  /** File of fault rules, see `setFaults`. */
  readonly faults?: string;
  /** False: a flush answers at once and does nothing, as a lying disk would. */
  readonly flushing?: boolean;
}

/** Compiles the shim. Throws with the compiler's words when gcc is missing or unhappy. */
export function buildFlushShim(): FlushShim {
  const folder = mkdtempSync(join(tmpdir(), 'openmesh-shim-'));
  const library = join(folder, 'flush-shim.so');
  const here = dirname(fileURLToPath(import.meta.url));
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-pthread', '-o', library];
  execFileSync('gcc', [...flags, ...sources.map((each) => join(here, each)), '-ldl'], { stdio: 'pipe' });
  return {
    env: (options) => ({
      LD_PRELOAD: library,
      // No OPENMESH_ names: the exchange refuses to start on those it does not know.
      FLUSH_SHIM_ROOT: options.root,
      FLUSH_SHIM_FLUSH: options.flushing === false ? 'off' : 'on',
      ...(options.journal === undefined ? {} : { FLUSH_SHIM_JOURNAL: options.journal }),
      ...(options.faults === undefined ? {} : { FLUSH_SHIM_FAULTS: options.faults }),
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** One fault; faults.c says what the words mean. `count` 0: every call after the first `skip`. */
export interface FaultRule {
  readonly operation:
    | 'write'
    | 'grow'
    | 'read'
    | 'flush'
    | 'create'
    | 'truncate'
    | 'rename'
    | 'unlink'
    | 'mkdir'
    | 'space';
  readonly what: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EROFS' | 'EMFILE' | 'SHORT' | number;
  readonly skip?: number;
  readonly count?: number;
  /** Matched against the name relative to the root; `*` matches slashes too. */
  readonly glob: string;
}

/** Replaces the rules of a running process at once; none takes all faults away. */
export function setFaults(path: string, rules: readonly FaultRule[]): void {
  const lines = rules.map(
    (rule) => `${rule.operation} ${rule.what} ${rule.skip ?? 0} ${rule.count ?? 0} ${rule.glob}\n`,
  );
  const fresh = `${path}.new`;
  writeFileSync(fresh, lines.join(''));
  renameSync(fresh, path);
}

/** What a full disk says to everything that needs a new block. */
export function diskFull(glob: string): readonly FaultRule[] {
  return [
    { operation: 'grow', what: 'ENOSPC', glob },
    { operation: 'create', what: 'ENOSPC', glob },
    { operation: 'mkdir', what: 'ENOSPC', glob },
    { operation: 'space', what: 0, glob: '*' },
  ];
}
