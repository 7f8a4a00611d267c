import { basename, dirname, join } from 'node:path';
import type { MailboxFolder } from '../config/config.ts';
import { moveFile, removeFile, syncFolder } from './durable.ts';
import { seeFile } from './file-print.ts';
import type { MailboxTree } from './mailbox-tree.ts';

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

/** Makes the moves in their order, each unless it was made, and flushes every folder it changed. */
export async function makeMoves(
  tree: MailboxTree,
  moves: readonly StagedMove[],
  afterEach: (index: number) => void = () => undefined,
): Promise<void> {
  const changed = new Set<string>();
  for (const [index, move] of moves.entries()) {
    switch (move.kind) {
      case 'place':
        await moveFile(join(tree.staging, move.staged), join(tree[move.folder], move.name));
        changed.add(tree[move.folder]);
        break;
      case 'carry':
        if (await isStill(tree, move)) await moveFile(join(tree.out, move.name), join(tree[move.folder], move.name));
        changed.add(tree.out).add(tree[move.folder]);
        break;
      case 'drop':
        if (await isStill(tree, move)) await removeFile(join(tree.out, move.name));
        changed.add(tree.out);
        break;
      default:
        move satisfies never;
    }
    afterEach(index);
  }
  for (const folder of changed) await syncFolder(folder);
}

async function isStill(tree: MailboxTree, { name, print }: { name: string; print: string }): Promise<boolean> {
  return (await seeFile(join(tree.out, name)))?.print === print;
}

/** Puts aside what lies under a name that is about to be used, with the time in its name. */
export async function putAside(folder: string, name: string, suffix: string): Promise<void> {
  const path = join(folder, name);
  if ((await seeFile(path)) === undefined) return;
  const dot = name.lastIndexOf('.');
  const aside = join(dirname(path), `${name.slice(0, dot)}_${suffix}${basename(name).slice(dot)}`);
  await moveFile(path, aside);
}
