import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type MailboxFolder, mailboxFolders } from '../config/config.ts';
import { codeOf } from './durable.ts';

/** Absolute paths of a mailbox's folders, as the disk spells them. */
export interface MailboxTree extends Readonly<Record<MailboxFolder, string>> {
  readonly root: string;
  /** Below TEMP: what is being built. Everything in it is ours. */
  readonly staging: string;
  /** Files of TEMP and IN are on one volume, so that a rename between them is one step. */
  readonly stagesInTemp: boolean;
}

/** The root or a folder of a mailbox cannot be used. The sentence names the folder's role, and the system's code. */
export class FolderFault extends Error {
  override readonly name = 'FolderFault';
}

const stagingName = '.openmesh';

/**
 * Finds the folders of a mailbox, whatever their case, and makes those that are missing, in upper case. A root that does
 * not exist is refused unless `mayMakeRoot`: it may be a share that is not mounted.
 */
export async function openMailboxTree(
  root: string,
  names: Readonly<Record<MailboxFolder, string>>,
  mayMakeRoot: boolean,
): Promise<MailboxTree> {
  const present = await listRoot(root, mayMakeRoot);
  const paths: Partial<Record<MailboxFolder, string>> = {};
  for (const folder of mailboxFolders) {
    const wanted = names[folder];
    const found = present.find((name) => name === wanted) ?? present.find((name) => same(name, wanted));
    paths[folder] = join(root, found ?? wanted);
    if (found === undefined) await make(paths[folder], wanted);
  }
  const tree = paths as Record<MailboxFolder, string>;
  const stagesInTemp = await isOneVolume(tree.temp, tree.in);
  const staging = stagesInTemp ? join(tree.temp, stagingName) : tree.in;
  if (stagesInTemp) await make(staging, `${names.temp}/${stagingName}`);
  return { ...tree, root, staging, stagesInTemp };
}

/**
 * A folder that files of OUT cannot be moved to in one step; undefined when there is none. One that is not there or cannot
 * be looked at is none: whoever uses it says so.
 */
export async function findApart(
  paths: Readonly<Partial<Record<MailboxFolder, string>>>,
): Promise<MailboxFolder | undefined> {
  const { out } = paths;
  for (const folder of ['in', 'sent', 'failed'] as const) {
    const path = paths[folder];
    if (out === undefined || path === undefined) continue;
    if (!(await isOneVolume(out, path).catch(() => true))) return folder;
  }
  return undefined;
}

/**
 * Whether a rename leads from one folder into the other. One disk may be mounted in two places, as into a container, and
 * is two volumes then though it has one number: so a rename is asked for, of a file that is not there.
 */
async function isOneVolume(one: string, other: string): Promise<boolean> {
  const [from, to] = await Promise.all([stat(one), stat(other)]);
  if (from.dev !== to.dev) return false;
  const answer = await rename(join(one, probeName), join(other, probeName)).then(() => undefined, codeOf);
  return answer !== 'EXDEV';
}

/** Of a file that nobody makes. */
const probeName = '.openmesh-probe';

async function listRoot(root: string, mayMakeRoot: boolean): Promise<readonly string[]> {
  try {
    return (await readdir(root, { withFileTypes: true })).filter((entry) => !entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || !mayMakeRoot) {
      const why =
        codeOf(error) === 'ENOENT' ? 'does not exist: is a share not mounted? (CreateRoots makes it)' : codeOf(error);
      throw new FolderFault(`the root of the mailbox cannot be used: ${why}`);
    }
    await mkdir(root, { recursive: true });
    return [];
  }
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

async function make(path: string, name: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw new FolderFault(`the folder ${name} cannot be made (${codeOf(error)})`);
  }
}
