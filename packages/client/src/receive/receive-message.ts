import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Download, MeshError, type MessageMetadata } from '@openmesh/sdk';
import { receivedCopy, serviceReport } from '../control-file/copies.ts';
import { writeControlFile } from '../control-file/write-control-file.ts';
import { syncFolder, writeFlushed } from '../folders/durable.ts';
import { seeFile } from '../folders/file-print.ts';
import { receivedBase } from '../folders/names.ts';
import { makeMoves, type StagedMove } from '../folders/staged-moves.ts';
import type { IncomingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { stagedName } from '../send/file-pair.ts';
import { reached, steps } from '../steps.ts';

export interface Received {
  readonly isReport: boolean;
  readonly bytes: number;
}

/**
 * Fetches one message into TEMP, flushes it, moves it into IN, and only then tells the service. Undefined when it had
 * been delivered before and the service had missed the word: it is told again.
 */
export async function receiveMessage(parts: MailboxParts, messageId: string, signal: AbortSignal): Promise<Received | undefined> {
  const before = parts.journal.incoming(parts.mailbox.id, messageId);
  if (before !== undefined && before.state !== 'fetching') {
    await finishDelivery(parts, before, signal);
    return undefined;
  }
  const { entry, bytes } = await parts.slots.use(signal, () => fetchMessage(parts, messageId, signal));
  await finishDelivery(parts, entry, signal);
  return { isReport: entry.isReport, bytes };
}

/** From wherever it stands to the service's word that it knows. Each step is in the journal before the next begins. */
export async function finishDelivery(parts: MailboxParts, before: IncomingEntry, signal: AbortSignal): Promise<void> {
  let entry = before;
  if (entry.state === 'staged') {
    await makeMoves(parts.tree, entry.moves ?? [], () => reached(steps.inMoved));
    reached(steps.inPlaced);
    entry = put(parts, { ...entry, state: 'delivered', moves: null });
    reached(steps.inDelivered);
  }
  await acknowledge(parts, entry.messageId, signal);
  reached(steps.inAcknowledged);
  put(parts, { ...entry, state: 'acknowledged' });
}

/** Acknowledging again is harmless. A message the service no longer knows needs no word from us. */
async function acknowledge(parts: MailboxParts, messageId: string, signal: AbortSignal): Promise<void> {
  try {
    await parts.service.acknowledge(messageId, { signal });
  } catch (error) {
    if (!(error instanceof MeshError) || (error.status !== 404 && error.status !== 410)) throw error;
    parts.log({
      level: 'warn',
      event: 'acknowledged-too-late',
      component: 'MailboxProcessor',
      mailbox: parts.mailbox.id,
      text: `Message ${messageId} is in IN, and the service no longer had it when it was acknowledged: its sender may be told that it was not collected`,
      fields: { messageId },
    });
  }
}

function put(parts: MailboxParts, entry: IncomingEntry): IncomingEntry {
  const changed = { ...entry, changedMs: parts.nowMs() };
  parts.journal.putIncoming(changed);
  return changed;
}

async function fetchMessage(parts: MailboxParts, messageId: string, signal: AbortSignal) {
  const download = await parts.service.download(messageId, { signal });
  try {
    const isReport = download.metadata.type === 'REPORT';
    const base = receivedBase(messageId);
    const there = await alreadyThere(parts, base, isReport);
    const staged = there ? { moves: [], bytes: 0 } : await stage(parts, download, base);
    reached(steps.inDownloaded);
    const entry = put(parts, {
      mailbox: parts.mailbox.id,
      messageId,
      state: 'staged',
      isReport,
      linkedId: download.metadata.linkedMessageId ?? null,
      moves: staged.moves,
      progress: null,
      changedMs: 0,
    });
    reached(steps.inStaged);
    return { entry, bytes: staged.bytes };
  } finally {
    download.cancel();
  }
}

/** A journal that was lost must not deliver anew what still lies in IN. */
async function alreadyThere({ tree }: MailboxParts, base: string, isReport: boolean): Promise<boolean> {
  const names = isReport ? [`${base}.ctl`] : [`${base}.ctl`, `${base}.dat`];
  const seen = await Promise.all(names.map((name) => seeFile(join(tree.in, name))));
  return seen.every((file) => file !== undefined);
}

async function stage(parts: MailboxParts, download: Download, base: string) {
  const { tree, mailbox, rules, lineEnd, nowMs, config } = parts;
  const { metadata } = download;
  const moves: StagedMove[] = [];
  const add = (extension: string): string => {
    const staged = stagedName(parts, `${base}${extension}`);
    moves.push({ kind: 'place', staged, folder: 'in', name: `${base}${extension}` });
    return join(tree.staging, staged);
  };
  let bytes = 0;
  if (metadata.type === 'REPORT') {
    await writeFlushed(add('.ctl'), writeControlFile(serviceReport(metadata, mailbox.id, rules, nowMs()), lineEnd));
  } else {
    bytes = await writeData(add('.dat'), download);
    if (config.metaFile) await writeFlushed(add('.meta.json'), metaOf(metadata));
    await writeFlushed(add('.ctl'), writeControlFile(receivedCopy(metadata, mailbox.id, rules, nowMs()), lineEnd));
  }
  await syncFolder(tree.staging);
  return { moves, bytes };
}

/** What the control file has no room for. */
function metaOf({ fileName, contentType, messageId }: MessageMetadata): Buffer {
  return Buffer.from(`${JSON.stringify({ messageId, fileName, contentType }, undefined, 2)}\n`);
}

async function writeData(path: string, download: Download): Promise<number> {
  const handle = await open(path, 'w', 0o640);
  try {
    const bytes = await writeAll(handle, download);
    await handle.sync();
    return bytes;
  } finally {
    await handle.close();
  }
}

const gatherBytes = 1024 * 1024;

/** Writes in large pieces: what arrives from a socket is a few kilobytes at a time. */
async function writeAll(handle: FileHandle, blocks: AsyncIterable<Buffer>): Promise<number> {
  let gathered: Buffer[] = [];
  let waiting = 0;
  let written = 0;
  const flush = async (): Promise<void> => {
    for (const piece of gathered) {
      // A short write is possible on a share.
      for (let from = 0; from < piece.length; ) {
        const { bytesWritten } = await handle.write(piece, from, piece.length - from);
        from += bytesWritten;
      }
    }
    written += waiting;
    gathered = [];
    waiting = 0;
  };
  for await (const block of blocks) {
    gathered.push(block);
    waiting += block.length;
    if (waiting >= gatherBytes) await flush();
  }
  await flush();
  return written;
}
