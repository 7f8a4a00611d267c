import { StartRefusal } from '../compose/start-refusal.ts';
import { TlsFault } from '../http/tls/tls-fault.ts';
import { BodyFault } from '../store/bodies.ts';
import { LedgerServed, LedgerUnfit } from '../store/ledger-problem.ts';

const listening: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use: stop what has it, or choose another',
  EACCES: 'may not be opened by this user: choose one above 1023',
  EADDRNOTAVAIL: 'is at an address that no interface of this machine has',
};

/** What kept an exchange from starting and an operator can mend, in a sentence; undefined for a defect of ours. */
export function startProblem(error: unknown): string | undefined {
  if (error instanceof LedgerServed || error instanceof LedgerUnfit || error instanceof StartRefusal)
    return error.message;
  if (error instanceof TlsFault) {
    return `${error.message} Put the file right, or name another in the settings OPENMESH_TLS_…_FILE`;
  }
  if (error instanceof BodyFault) {
    return `${error.message} (${codeOf(error.cause) ?? error.kind}): look at the folder of OPENMESH_BODIES and its rights`;
  }
  const code = codeOf(error);
  const { syscall, address, port, message } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const problem = listening[code ?? ''];
  if (syscall === 'listen' && problem !== undefined) {
    return `port ${port} of ${address} ${problem} (${code}); see OPENMESH_MACHINES_PORT, OPENMESH_OPERATORS_PORT and their hosts`;
  }
  // Of the system, and of SQLite, that opens the ledger's file.
  if (syscall !== undefined || code === 'ERR_SQLITE_ERROR') {
    return `${message}; look at the paths of the settings ("check-config" shows them), their rights and their disk`;
  }
  return undefined;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
