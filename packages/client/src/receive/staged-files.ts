import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile } from '../folders/durable.ts';
import { seeFile } from '../folders/file-print.ts';
import { receivedBase } from '../folders/names.ts';
import type { IncomingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { stagedName } from '../send/file-pair.ts';

type TreeParts = Pick<MailboxParts, 'tree'>;

/**
 * Name of an empty file that lies beside what is staged of a message until the journal says that it is delivered. A
 * staged file that is not there was moved to IN; unless this one is gone too, for then somebody emptied the folder.
 */
export function markName(parts: TreeParts, messageId: string): string {
  return stagedName(parts, `${receivedBase(messageId)}.mark`);
}

/** Durable when the folder is flushed: it is nothing but its name. */
export async function putMark(parts: TreeParts, messageId: string): Promise<void> {
  await writeFile(join(parts.tree.staging, markName(parts, messageId)), '');
}

export async function removeMark(parts: TreeParts, messageId: string): Promise<void> {
  await removeFile(join(parts.tree.staging, markName(parts, messageId)));
}

/** Whether some of what was staged of a message was taken away before it came into IN: then it has to be fetched anew. */
export async function isStagingLost(parts: TreeParts, { messageId, moves }: IncomingEntry): Promise<boolean> {
  const { tree } = parts;
  const places = (moves ?? []).filter((move) => move.kind === 'place');
  const isStaged = await Promise.all(places.map(({ staged }) => isThere(join(tree.staging, staged))));
  if (!isStaged.includes(false)) return false;
  if (!(await isThere(join(tree.staging, markName(parts, messageId))))) return true;
  const next = isStaged.indexOf(true);
  // All were moved; whether they are still in IN is the application's affair.
  if (next === -1) return false;
  // The control file was not, so that nobody can have taken what was moved before it.
  if (isStaged.includes(false, next)) return true;
  const before = await Promise.all(places.slice(0, next).map(({ folder, name }) => isThere(join(tree[folder], name))));
  return before.includes(false);
}

async function isThere(path: string): Promise<boolean> {
  return (await seeFile(path)) !== undefined;
}
