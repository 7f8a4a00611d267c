import type { Config } from '../../config/config.ts';
import { KeyFileRefusal } from '../../config/key-file.ts';
import { openSecretKeys } from '../../config/secrets.ts';
import { keyIdOf } from '../../mailbox/sealer.ts';
import type { AdminSession } from '../admin-session.ts';
import { exitCodes } from '../command.ts';
import { CommandRefusal, type ExitCode } from '../define-command.ts';

/** A secret key, and what is kept under it. */
export interface KeyUseLine {
  readonly keyId: string;
  /** Its line in the key file, from 1; null: it is not in the file, and nothing under it can be opened. */
  readonly line: number | null;
  readonly payloads: number;
  readonly texts: number;
  readonly secrets: number;
}

export function isUsed({ payloads, texts, secrets }: KeyUseLine): boolean {
  return payloads + texts + secrets > 0;
}

/** The keys of the file in their order, then those that the file does not hold and something is kept under. */
export async function countUses({ ledger }: AdminSession, config: Config): Promise<readonly KeyUseLine[]> {
  const { payloads, texts } = await ledger.keys.uses();
  const { credentials, sharedKeys } = await ledger.registry.load();
  const counts = new Map<string, { payloads: number; texts: number; secrets: number }>();
  const inFile = openSecretKeys(config).map(({ id }) => id);
  const of = (keyId: string) => {
    const known = counts.get(keyId) ?? { payloads: 0, texts: 0, secrets: 0 };
    counts.set(keyId, known);
    return known;
  };
  for (const keyId of inFile) of(keyId);
  for (const { keyId, count } of payloads) of(keyId).payloads += count;
  for (const { beginning, count } of texts) of(keyIdOf(beginning) ?? '?').texts += count;
  for (const { sealed } of [...credentials, ...sharedKeys]) of(keyIdOf(sealed) ?? '?').secrets += 1;
  return [...counts].map(([keyId, count]) => {
    const at = inFile.indexOf(keyId);
    return { keyId, line: at < 0 ? null : at + 1, ...count };
  });
}

/** Changes the key file; what it refuses becomes a sentence and an exit code. */
export function changeFile<R>(change: () => R): R {
  try {
    return change();
  } catch (error) {
    if (error instanceof KeyFileRefusal) throw new CommandRefusal(exitCodeOf(error), error.message);
    // Its sentences name the setting and what is wrong with the file.
    if (error instanceof Error && error.message.startsWith('OPENMESH_SECRET_KEY_FILE'))
      throw new CommandRefusal(exitCodes.config, error.message);
    throw error;
  }
}

function exitCodeOf({ kind }: KeyFileRefusal): ExitCode {
  switch (kind) {
    case 'no-such-key':
    case 'too-many':
    case 'in-use':
    case 'too-soon':
      return exitCodes.failed;
    case 'not-writable':
      return exitCodes.cannotCreate;
  }
}
