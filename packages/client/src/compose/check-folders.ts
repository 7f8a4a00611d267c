import { access, constants, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type MailboxConfig, type MailboxFolder, mailboxFolders } from '../config/config.ts';
import { codeOf } from '../folders/durable.ts';
import { findApart } from '../folders/mailbox-tree.ts';
import { ownerFileIn, readOwner } from '../mailbox/root-lock.ts';
import type { Finding } from './finding.ts';
import { lookIntoOut } from './look-into-out.ts';

const roomBytesMin = 1_000_000_000;

/** The folders of one mailbox: there, writable, on one volume, with room, and whose they are. */
export async function checkFolders(mailbox: MailboxConfig): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const add = (name: string, status: Finding['status'], finding: string, fix?: string): void => {
    findings.push({ about: mailbox.id, name, status, finding, fix });
  };
  const names = await readdir(mailbox.root).catch((error: unknown) => codeOf(error));
  if (typeof names === 'string') {
    add(
      'root',
      'failed',
      `cannot be read (${names})`,
      'is a share not mounted? CreateRoots makes a folder that is missing',
    );
    return findings;
  }
  const paths: Partial<Record<MailboxFolder, string>> = {};
  for (const folder of mailboxFolders) {
    const wanted = mailbox.folders[folder];
    const found = names.find((name) => name.toLowerCase() === wanted.toLowerCase());
    if (found === undefined) {
      add(wanted, 'warning', 'does not exist; the client makes it when it starts');
      continue;
    }
    const path = join(mailbox.root, found);
    const refused = await access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(() => undefined, codeOf);
    if (refused !== undefined)
      add(
        wanted,
        'failed',
        `cannot be written (${refused})`,
        'give the client’s account the right to change files in it',
      );
    else add(wanted, 'ok', 'is writable');
    paths[folder] = path;
  }
  const apart = await findApart(paths);
  if (apart !== undefined)
    add(
      'volume',
      'failed',
      `${mailbox.folders[apart]} is on another volume than ${mailbox.folders.out}`,
      'put IN, OUT, SENT and FAILED on one: files are moved between them in one step',
    );
  await addRoom(mailbox, add);
  const owner = readOwner(ownerFileIn(join(mailbox.root, mailbox.folders.temp)));
  if (owner !== undefined)
    add('lock', 'warning', `process ${owner.pid} on ${owner.host} works on it since ${owner.startedAt}`);
  await addOut(mailbox, add);
  return findings;
}

type Add = (name: string, status: Finding['status'], finding: string, fix?: string) => void;

async function addRoom({ root }: MailboxConfig, add: Add): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  const text = `${Math.floor(free / 1_000_000)} MB are free`;
  if (free < roomBytesMin) add('disk', 'warning', text, 'a message of any size may come: make room');
  else add('disk', 'ok', text);
}

async function addOut(mailbox: MailboxConfig, add: Add): Promise<void> {
  const { loneData, withoutData, unusable } = await lookIntoOut(mailbox);
  const warn = (count: number, what: string, fix: string): void => {
    if (count > 0) add('OUT', 'warning', `${count} ${what}`, fix);
  };
  warn(loneData.length, 'data file(s) have no control file', 'write the control file, or take the data away');
  warn(withoutData.length, 'control file(s) have no data file', 'write the data first, then the control file');
  warn(
    unusable.length,
    'file(s) are links or folders, or have names that are no UTF-8, and are left alone',
    'put files there, under names in UTF-8',
  );
}
