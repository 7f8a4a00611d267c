import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { MailboxFolder } from '../config/config.ts';
import { moveFile, removeFile, syncFolder } from './durable.ts';
import { isTaken, seeFile } from './file-print.ts';
import type { MailboxTree } from './mailbox-tree.ts';
import { fittingName } from './names.ts';

/**
 * One step of moving files about, written into the journal before it is made. A rename shows by itself whether it was
 * made: its source is there, or is not. So after a crash each step is done if and only if it was not, and what somebody
 * took away in the meantime does not come back.
 */
export type StagedMove =
  /** A file we built in the staging folder goes to its place. */
  | { readonly kind: 'place'; readonly staged: string; readonly folder: MailboxFolder; readonly name: string }
  /** The sender's data goes on, unless another file has taken its name since. */
  | {
      readonly kind: 'carry';
      readonly name: string;
      readonly print: string;
      readonly folder: MailboxFolder;
    }
  /** A file of the sender goes away, unless another has taken its name since. */
  | { readonly kind: 'drop'; readonly name: string; readonly print: string };

/** Lists of moves made side by side: those of a few pairs, each waiting for the disk by itself. */
const listsAtOnce = 4;

/**
 * Makes the moves of each list in their order, each unless it was made, and flushes every folder that was changed. Throws
 * the first failure when all that can be made are made.
 */
export async function makeMoves(
  tree: MailboxTree,
  lists: readonly (readonly StagedMove[])[],
  afterEach: () => void = () => undefined,
): Promise<void> {
  const changed = new Set<string>();
  const queue = [...lists];
  const lane = async (): Promise<void> => {
    for (let list = queue.shift(); list !== undefined; list = queue.shift()) {
      for (const move of list) {
        for (const folder of await makeMove(tree, move)) changed.add(folder);
        afterEach();
      }
    }
  };
  await allOf(Array.from({ length: Math.min(listsAtOnce, queue.length) }, lane));
  await allOf([...changed].map(syncFolder));
}

/** Waits for all of them, whatever becomes of any. Throws the first failure. */
export async function allOf<Result>(works: readonly Promise<Result>[]): Promise<readonly Result[]> {
  await Promise.allSettled(works);
  return await Promise.all(works);
}

/** Answers the folders it may have changed. Throws where a file is missing because its whole folder is. */
async function makeMove(tree: MailboxTree, move: StagedMove): Promise<readonly string[]> {
  switch (move.kind) {
    case 'place':
      if (!(await moveFile(join(tree.staging, move.staged), join(tree[move.folder], move.name))))
        await access(tree.staging);
      return [tree[move.folder]];
    case 'carry':
      if (await isStill(tree, move)) await moveFile(join(tree.out, move.name), join(tree[move.folder], move.name));
      else await access(tree.out);
      return [tree.out, tree[move.folder]];
    case 'drop':
      if (await isStill(tree, move)) await removeFile(join(tree.out, move.name));
      else await access(tree.out);
      return [tree.out];
  }
}

async function isStill(tree: MailboxTree, { name, print }: { name: string; print: string }): Promise<boolean> {
  return (await seeFile(join(tree.out, name)))?.print === print;
}

/** Puts aside whatever lies under a name that is about to be used, with the time in its name; over nothing. */
export async function putAside(folder: string, name: string, suffix: string): Promise<void> {
  const path = join(folder, name);
  if (!(await isTaken(path))) return;
  const dot = name.lastIndexOf('.');
  const aside = (more: string): string =>
    join(folder, fittingName(name.slice(0, dot), `_${suffix}${more}${name.slice(dot)}`));
  let number = 0;
  while (await isTaken(aside(number === 0 ? '' : `_${number}`))) number += 1;
  await moveFile(path, aside(number === 0 ? '' : `_${number}`));
}
