import { access, appendFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MessageRecord, openChunk, openTexts, partyOf, type Rooms } from '@openmesh/exchange';
import { type MailboxId, type MessageId, parseMailboxId, parseMessageId } from '@openmesh/protocol';
import { writeDocument } from './message-document.ts';
import type { LedgerWatcher } from './watch-ledger.ts';

/** A copy of a larger message would double what it costs; its JSON is written all the same. */
const mirroredBytesMax = 1024 * 1024 * 1024;
const readsAtOnce = 32;

/**
 * Messages as files, for people to look at: `MAILBOX/in/ID.json` and `MAILBOX/in/ID/n`, the layout of the official
 * sandbox's file store. Never read back as truth; which files are ours is written down before they are, so that what
 * somebody put there is never overwritten or removed.
 */
export interface Mirror extends LedgerWatcher {
  /** True for a message whose files are ours. */
  readonly wrote: (messageId: MessageId) => boolean;
  /** Removes the files of messages that are no longer there. */
  tidy(): Promise<void>;
}

export interface MirrorOptions {
  readonly rooms: Pick<Rooms, 'ledger' | 'bodies' | 'sealer' | 'payloadKeys' | 'registry' | 'clock' | 'log'>;
  readonly dataFolder: string;
  /** A file of one line for each message whose files are ours. */
  readonly indexFile: string;
}

export async function openMirror({ rooms, dataFolder, indexFile }: MirrorOptions): Promise<Mirror> {
  const written = await readIndex(indexFile);
  const underway = new Map<MessageId, Promise<void>>();
  const { ledger, clock, log } = rooms;

  const inFolder = (mailbox: MailboxId): string => join(dataFolder, mailbox, 'in');
  const documentOf = (mailbox: MailboxId, messageId: MessageId): string => join(inFolder(mailbox), `${messageId}.json`);

  const mirror = async (messageId: MessageId): Promise<void> => {
    const message = await ledger.messages.find(messageId);
    if (message === null || message.recipient === null || message.state === 'uploading') return;
    const { recipient } = message;
    const file = documentOf(recipient, messageId);
    if (!written.has(messageId)) {
      if (await isThere(file)) return;
      written.set(messageId, recipient);
      await appendFile(indexFile, `${recipient} ${messageId}\n`);
      await mkdir(inFolder(recipient), { recursive: true });
      const chunks = message.messageType === 'DATA' && message.sizeBytes <= mirroredBytesMax;
      if (chunks) await copyChunks(rooms, message, join(inFolder(recipient), messageId));
    }
    const snapshot = rooms.registry.current();
    const texts = openTexts(rooms.sealer, messageId, message.sealed);
    const text = writeDocument(message, texts, partyOf(snapshot, message.sender), partyOf(snapshot, recipient));
    // Whoever watches the folder shall never read half a file.
    const aside = join(inFolder(recipient), `.${messageId}.json`);
    await writeFile(aside, text);
    await rename(aside, file);
  };

  /** One after the other for each message, so that the newest state is the one that stays. */
  const queue = (messageId: MessageId): Promise<void> => {
    const before = underway.get(messageId) ?? Promise.resolve();
    const next = before
      .then(() => mirror(messageId))
      // The message is accepted whatever becomes of its picture.
      .catch((error: unknown) => log.error('mirror-failed', error, { messageId }))
      .finally(() => {
        if (underway.get(messageId) === next) underway.delete(messageId);
      });
    underway.set(messageId, next);
    return next;
  };

  const tidy = async (): Promise<void> => {
    const entries = [...written];
    for (let start = 0; start < entries.length; start += readsAtOnce) {
      await Promise.all(
        entries.slice(start, start + readsAtOnce).map(async ([messageId, mailbox]) => {
          const message = await ledger.messages.find(messageId);
          if (message !== null && message.hideAtMs > clock.nowMs()) return;
          await rm(documentOf(mailbox, messageId), { force: true });
          await rm(join(inFolder(mailbox), messageId), { recursive: true, force: true });
          written.delete(messageId);
        }),
      );
    }
    if (written.size === entries.length) return;
    await writeFile(`${indexFile}.new`, [...written].map(([id, mailbox]) => `${mailbox} ${id}\n`).join(''));
    await rename(`${indexFile}.new`, indexFile);
  };

  return {
    wrote: (messageId) => written.has(messageId),
    tidy,
    async changed(messageIds) {
      await Promise.all(messageIds.map(queue));
    },
    async aged() {
      await tidy().catch((error: unknown) => log.error('mirror-failed', error));
    },
  };
}

async function copyChunks(
  { ledger, bodies, payloadKeys }: MirrorOptions['rooms'],
  { messageId, payloadId, totalChunks }: MessageRecord,
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let number = 1; number <= totalChunks; number += 1) {
    const found = await ledger.messages.findWithChunk(messageId, number);
    if (found?.chunk === null || found === null) continue;
    await using file = await open(join(folder, String(number)), 'w');
    const { chunk, key } = found;
    const payloadKey = key === null || payloadId === null ? null : await payloadKeys.open(payloadId, key);
    const content = openChunk(bodies, chunk, payloadKey);
    if (content.kind === 'inline') {
      await file.writeFile(content.bytes);
      continue;
    }
    for await (const block of content.blocks) {
      await file.writeFile(block.bytes);
      block.release();
    }
  }
}

async function readIndex(file: string): Promise<Map<MessageId, MailboxId>> {
  const written = new Map<MessageId, MailboxId>();
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'ENOENT') return '';
    throw error;
  });
  for (const line of text.split('\n')) {
    const [rawMailbox = '', rawId = ''] = line.split(' ');
    const mailbox = parseMailboxId(rawMailbox);
    const messageId = parseMessageId(rawId);
    // The last line may be torn by a power cut; its files were not begun then.
    if (mailbox !== undefined && messageId !== undefined) written.set(messageId, mailbox);
  }
  return written;
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
