import type { MeshClient } from '@openmesh/sdk';
import type { ClientConfig, MailboxConfig } from '../config/config.ts';
import type { CopyRules } from '../control-file/copies.ts';
import type { MailboxTree } from '../folders/mailbox-tree.ts';
import type { Journal } from '../journal/journal.ts';
import type { Counters } from '../observe/counters.ts';
import type { Log } from '../observe/log.ts';
import type { Slots } from './slots.ts';

/** What the work on one mailbox stands on. */
export interface MailboxParts {
  readonly config: ClientConfig;
  readonly mailbox: MailboxConfig;
  readonly tree: MailboxTree;
  readonly journal: Journal;
  readonly service: MeshClient;
  /** Connections of the whole process. */
  readonly slots: Slots;
  readonly log: Log;
  readonly counters: Counters;
  readonly rules: CopyRules;
  readonly lineEnd: '\n' | '\r\n';
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly newKey: () => string;
}
