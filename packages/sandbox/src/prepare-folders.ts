import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxSettings } from './translate-environment.ts';

/** A sentence for the person who starts the sandbox. */
export class CannotStart extends Error {
  constructor(message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.name = 'CannotStart';
  }
}

/** The folder of ledger, bodies, keys and certificates. */
export interface Home {
  readonly folder: string;
  /** Removes what shall not outlive the sandbox. */
  remove(): Promise<void>;
}

/** A dot folder, because a folder of fixtures holds one folder for each mailbox. */
const homeName = '.openmesh';
const ownerOnly = 0o700;

/** Makes the home: inside the data folder for the file store, else a temporary folder. Throws `CannotStart`. */
export async function prepareHome({ storeMode, dataFolder }: SandboxSettings): Promise<Home> {
  if (storeMode !== 'file') {
    const folder = await mkdtemp(join(tmpdir(), 'openmesh-sandbox-'));
    return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
  }
  const folder = join(dataFolder, homeName);
  try {
    await mkdir(folder, { recursive: true, mode: ownerOnly });
    await refuseStranger(folder);
  } catch (cause) {
    if (cause instanceof CannotStart) throw cause;
    const code = (cause as { code?: unknown }).code;
    throw new CannotStart(
      `MAILBOXES_DATA_DIR ${dataFolder} cannot be written (${String(code)}): choose another, or STORE_MODE=memory.`,
      { cause },
    );
  }
  return { folder, remove: () => Promise.resolve() };
}

/** The default lies in /tmp, where anybody may have made the folder first, to read the keys in it afterwards. */
async function refuseStranger(folder: string): Promise<void> {
  const found = await lstat(folder);
  const user = process.getuid?.();
  const ours = user === undefined || user === 0 || found.uid === user;
  if (!found.isDirectory() || !ours) {
    throw new CannotStart(`${folder} belongs to somebody else: set MAILBOXES_DATA_DIR to a folder of your own.`);
  }
}
