import { composeClient } from '@openmesh/client/compose.ts';
import { loadConfig } from '@openmesh/client/config/load-config.ts';
import { untilDone } from '@openmesh/client/mailbox/stopping.ts';
import type { LogLine } from '@openmesh/client/observe/log.ts';
import type { ClientFolder } from './client-folder.ts';

export interface Round {
  readonly lines: readonly LogLine[];
  /** What each mailbox did, or the sentence it stopped with. */
  readonly mailboxes: Readonly<Record<string, { sent: number; failed: number; received: number } | string>>;
}

/** One life of the client: everything there is to send and to fetch, mailbox after mailbox. */
export async function clientRound(folder: ClientFolder): Promise<Round> {
  const lines: LogLine[] = [];
  const mailboxes: Record<string, { sent: number; failed: number; received: number } | string> = {};
  using client = composeClient(loadConfig(folder.configFile, {}), {}, (line) => lines.push(line));
  for (const worker of client.workers) {
    const { mailbox } = worker.health;
    mailboxes[mailbox] = await worker.drain(untilDone()).catch((error: unknown) => (error as Error).message);
  }
  return { lines, mailboxes };
}
