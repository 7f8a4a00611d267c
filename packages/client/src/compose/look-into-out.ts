import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MailboxConfig } from '../config/config.ts';
import { OutFolder } from '../send/out-folder.ts';

/** Names of files in OUT that are not sent as they lie. Personal, as file names may be. */
export interface NotSendable {
  readonly loneData: readonly string[];
  readonly withoutData: readonly string[];
  readonly unusable: readonly string[];
}

/** Looks once, beside a running client. Where OUT cannot be read nothing is found: that is said elsewhere. */
export async function lookIntoOut({ root, folders }: MailboxConfig): Promise<NotSendable> {
  const names = await readdir(root).catch(() => []);
  const found = names.find((name) => name === folders.out) ?? names.find((name) => isSame(name, folders.out));
  // One look tells nothing of what is settled: everything counts as it lies now.
  const out = new OutFolder(join(root, found ?? folders.out), 0);
  const look = await out.look(Date.now()).catch(() => ({ loneData: [], withoutData: [], unusable: [] }));
  return {
    loneData: look.loneData.map(({ name }) => name),
    withoutData: look.withoutData.map(({ controlName }) => controlName),
    unusable: look.unusable.map(({ name }) => name),
  };
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
