import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FixtureFault, ImportRefused, type IncomingBody, type Rooms } from '@openmesh/exchange';
import { type MailboxId, type MessageId, parseMessageId } from '@openmesh/protocol';
import { mailboxFolders } from './load-registry.ts';
import { type DocumentedMessage, readDocument } from './message-document.ts';

const documentBytesMax = 1024 * 1024;
const messagesMax = 100_000;
const importsAtOnce = 16;
const pieceBytes = 1024 * 1024;

interface Source {
  readonly mailbox: MailboxId;
  readonly messageId: MessageId;
  /** `{data}/{MAILBOX}/in` */
  readonly folder: string;
}

/**
 * Takes what lies in `MAILBOX/in/*.json` and `MAILBOX/in/ID/n` into the ledger, each id once; of one mailbox or of all.
 * `isOurs` tells the files that the sandbox wrote itself. Throws `FixtureFault`.
 */
export async function loadMessages(
  rooms: Pick<Rooms, 'hall' | 'clock' | 'config'>,
  dataFolder: string,
  options: { readonly only?: MailboxId | undefined; readonly isOurs: (messageId: MessageId) => boolean },
): Promise<void> {
  const folders = await mailboxFolders(dataFolder);
  for (const mailbox of folders) {
    if (options.only !== undefined && mailbox !== options.only) continue;
    const sources = await listSources(join(dataFolder, mailbox, 'in'), mailbox);
    const theirs = sources.filter(({ messageId }) => !options.isOurs(messageId));
    for (let start = 0; start < theirs.length; start += importsAtOnce) {
      await Promise.all(theirs.slice(start, start + importsAtOnce).map((source) => importOne(rooms, source)));
    }
  }
}

async function listSources(folder: string, mailbox: MailboxId): Promise<readonly Source[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'ENOENT') return [];
    throw error;
  });
  const documents = names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  if (documents.length > messagesMax) {
    throw new FixtureFault(`${mailbox}/in`, undefined, `holds more than ${messagesMax} messages`);
  }
  return documents.map((name) => {
    const stem = name.slice(0, -'.json'.length);
    const messageId = parseMessageId(stem);
    if (messageId === undefined || messageId !== stem) {
      const problem = 'must have a message id as its name: upper case letters, digits and "_"';
      throw new FixtureFault(`${mailbox}/in/${name}`, undefined, problem);
    }
    return { mailbox, messageId, folder };
  });
}

async function importOne(rooms: Pick<Rooms, 'hall' | 'clock' | 'config'>, source: Source): Promise<void> {
  const { mailbox, messageId, folder } = source;
  const file = `${mailbox}/in/${messageId}.json`;
  const nowMs = rooms.clock.nowMs();
  const json = await readSmall(join(folder, `${messageId}.json`), file);
  const message = readDocument(json, { file, messageId, recipient: mailbox, nowMs });
  // Unfinished, or so old that the API would not know it.
  if (message === undefined || message.createdAtMs + rooms.config.retention.hideMs <= nowMs) return;
  const opened: FileHandle[] = [];
  try {
    await rooms.hall.importMessage({ ...message, chunks: chunksOf(message, source, opened) });
  } catch (error) {
    if (error instanceof ImportRefused) throw new FixtureFault(file, undefined, error.message);
    throw error;
  } finally {
    for (const handle of opened) await handle.close();
  }
}

function chunksOf(
  { isReport, totalChunks }: DocumentedMessage,
  { mailbox, messageId, folder }: Source,
  opened: FileHandle[],
): readonly (() => Promise<IncomingBody>)[] | null {
  if (isReport) return null;
  return Array.from({ length: totalChunks }, (_, index) => async () => {
    const name = `${mailbox}/in/${messageId}/${index + 1}`;
    try {
      const handle = await open(join(folder, messageId, String(index + 1)));
      opened.push(handle);
      return await fileBody(handle);
    } catch (error) {
      throw new FixtureFault(name, undefined, `cannot be read (${String((error as { code?: unknown }).code)})`);
    }
  });
}

async function readSmall(path: string, shown: string): Promise<string> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  if (size > documentBytesMax) throw new FixtureFault(shown, undefined, `has more than ${documentBytesMax} bytes`);
  return handle.readFile('utf8');
}

/** A file as the hall takes a request's body. */
async function fileBody(handle: FileHandle): Promise<IncomingBody> {
  const { size } = await handle.stat();
  return {
    declaredBytes: size,
    async head(bytesMax) {
      const bytes = new Uint8Array(Math.min(size, bytesMax + 1));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return { bytes: bytes.slice(0, filled), ended: size <= bytesMax };
    },
    async rest(take) {
      const piece = new Uint8Array(pieceBytes);
      for (;;) {
        const { bytesRead } = await handle.read(piece, 0, piece.length);
        if (bytesRead === 0) return;
        await take(piece.subarray(0, bytesRead));
      }
    },
  };
}
