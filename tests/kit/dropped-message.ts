import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DroppedMessage {
  readonly id: string;
  /** X26ABC2 unless given. */
  readonly mailbox?: string;
  readonly chunks?: readonly (string | Uint8Array)[];
  /** Members of the JSON beyond the sender X26ABC1, the workflow WF1 and the number of chunks, or in their place. */
  readonly document?: Readonly<Record<string, unknown>>;
}

/** Puts a message into a sandbox's data folder, in the layout of the official sandbox's file store. */
export async function dropMessage(dataFolder: string, message: DroppedMessage): Promise<void> {
  const { id, mailbox = 'X26ABC2', chunks = ['hello'], document = {} } = message;
  const inbox = join(dataFolder, mailbox, 'in');
  await mkdir(join(inbox, id), { recursive: true });
  for (const [index, chunk] of chunks.entries()) await writeFile(join(inbox, id, String(index + 1)), chunk);
  const given = { message_id: id, sender: { mailbox_id: 'X26ABC1' }, workflow_id: 'WF1', total_chunks: chunks.length };
  await writeFile(join(inbox, `${id}.json`), JSON.stringify({ ...given, ...document }));
}
