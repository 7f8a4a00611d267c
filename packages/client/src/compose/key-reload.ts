import { stat } from 'node:fs/promises';
import { MeshError } from '@openmesh/sdk';
import type { ComposedClient } from '../compose.ts';
import type { Environment } from '../config/build-config.ts';
import type { ClientConfig } from '../config/config.ts';
import { loadConfig } from '../config/load-config.ts';
import { ConfigFault } from '../config/raw-settings.ts';
import { KeyStoreFault } from '../keystore/credentials.ts';
import type { Log } from '../observe/log.ts';
import { readCredentials } from './make-service.ts';

interface KeyReloadParts {
  readonly config: ClientConfig;
  readonly env: Environment;
  readonly client: Pick<ComposedClient, 'useCredentials'>;
  readonly log: Log;
}

/**
 * Takes new keys and certificates into use while the client works. Files are looked at again and again; what changed is
 * read once it has been the same at two looks, for it may be half written, and certificate and key are two files.
 */
export class KeyReload {
  readonly #parts: KeyReloadParts;
  readonly #files: readonly string[];
  /** As they were when they were last read, well or not. */
  #read: string | undefined;
  #seen: string | undefined;

  constructor(parts: KeyReloadParts) {
    this.#parts = parts;
    const { keyStorePath, certificateFile, keyFile, authorityFile } = parts.config;
    this.#files = [keyStorePath, certificateFile, keyFile, authorityFile].filter((file) => file !== undefined);
  }

  /** True when other certificates are in use now. */
  async look(): Promise<boolean> {
    const print = (await Promise.all(this.#files.map(printOf))).join();
    this.#read ??= print;
    const isSettled = print === this.#seen;
    this.#seen = print;
    if (print === this.#read || !isSettled) return false;
    this.#read = print;
    return this.#reload();
  }

  #reload(): boolean {
    const { config, env, client, log } = this.#parts;
    const say = { component: 'MeshClient' } as const;
    try {
      // The password may have changed with the store, where the configuration says that it lies elsewhere.
      client.useCredentials(readCredentials(loadConfig(config.file, env)));
      log({ ...say, level: 'info', event: 'keys-reloaded', text: 'New keys and certificates are in use' });
      return true;
    } catch (error) {
      if (!(error instanceof KeyStoreFault || error instanceof ConfigFault || error instanceof MeshError)) throw error;
      const text = `The keys and certificates were changed and cannot be used, so the former ones stay in use: ${error.message}`;
      log({ ...say, level: 'error', event: 'keys-not-reloaded', text });
      return false;
    }
  }
}

/** What tells one content of a file from the next, also where a link leads to another. */
async function printOf(path: string): Promise<string> {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    return `${size}:${mtimeNs}:${ino}`;
  } catch {
    return 'absent';
  }
}
