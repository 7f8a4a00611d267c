import type { ConfigProblem } from './raw-settings.ts';
import type { MailboxValues, ProcessValues } from './settings.ts';

/** Folders of one mailbox below its root, by what they are for. */
export const mailboxFolders = ['in', 'out', 'sent', 'failed', 'temp'] as const;
export type MailboxFolder = (typeof mailboxFolders)[number];

export interface MailboxConfig
  extends Omit<
    MailboxValues,
    'id' | 'password' | 'root' | `${MailboxFolder}Folder` | 'clientLogLevel' | 'mailboxType'
  > {
  /** Upper case. */
  readonly id: string;
  readonly password: string;
  /** Absolute path. */
  readonly root: string;
  /** Names below the root, as configured; the disk may spell them in another case. */
  readonly folders: Readonly<Record<MailboxFolder, string>>;
}

/** Everything the client was told, checked as a whole. Holds secrets: never print it. */
export interface ClientConfig extends Omit<ProcessValues, 'url' | 'keyStorePath' | 'sharedKey' | 'sharedKeyFile'> {
  /** Absolute path of the file it was read from. */
  readonly file: string;
  readonly url: string;
  /** Undefined while it is missing: then nothing can be sent, but files can be checked and converted. */
  readonly sharedKey: string | undefined;
  readonly keyStorePath: string | undefined;
  readonly mailboxes: readonly MailboxConfig[];
  readonly warnings: readonly ConfigProblem[];
}
