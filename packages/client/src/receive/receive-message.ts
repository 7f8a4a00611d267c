import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DownloadedFile,
  type DownloadState,
  MeshError,
  type MessageMetadata,
  parseDownloadState,
} from '@openmesh/sdk';
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
import { chooseReport } from './known-reports.ts';
import { isStagingLost, putMark, removeMark } from './staged-files.ts';

export interface Received {
  readonly isReport: boolean;
  readonly bytes: number;
}

/**
 * Fetches one message into TEMP, flushes it, moves it into IN, and only then tells the service. Undefined when it had
 * been delivered before and the service had missed the word, which is told again, or when it has to wait in the inbox.
 */
export async function receiveMessage(
  parts: MailboxParts,
  messageId: string,
  signal: AbortSignal,
): Promise<Received | undefined> {
  const before = parts.journal.incoming(parts.mailbox.id, messageId);
  if (before !== undefined && before.state !== 'fetching' && (await finishDelivery(parts, before, signal))) {
    return undefined;
  }
  const fetched = await parts.slots.use(signal, () => fetchMessage(parts, messageId, signal));
  if (fetched === undefined) return undefined;
  const { entry, bytes } = fetched;
  await finishDelivery(parts, entry, signal);
  return { isReport: entry.isReport, bytes };
}

/**
 * From wherever it stands to the service's word that it knows. Each step is in the journal before the next begins. False,
 * and nothing is told to the service, when it has to be fetched anew.
 */
export async function finishDelivery(
  parts: MailboxParts,
  before: IncomingEntry,
  signal: AbortSignal,
): Promise<boolean> {
  let entry = before;
  if (entry.state === 'staged') {
    if (await isStagingLost(parts, entry)) {
      fetchAnew(parts, entry);
      return false;
    }
    await makeMoves(parts.tree, [entry.moves ?? []], () => reached(steps.inMoved));
    reached(steps.inPlaced);
    entry = put(parts, { ...entry, state: 'delivered', moves: null });
    reached(steps.inDelivered);
    await removeMark(parts, entry.messageId);
  }
  await acknowledge(parts, entry.messageId, signal);
  reached(steps.inAcknowledged);
  put(parts, { ...entry, state: 'acknowledged' });
  return true;
}

function fetchAnew(parts: MailboxParts, entry: IncomingEntry): void {
  const { messageId } = entry;
  put(parts, { ...entry, state: 'fetching', moves: null, progress: null });
  parts.log({
    level: 'warn',
    event: 'staged-files-lost',
    component: 'MailboxProcessor',
    mailbox: parts.mailbox.id,
    text: `What was fetched of message ${messageId} was taken out of TEMP before it came into IN: it is fetched again`,
    fields: { messageId },
  });
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
  const base = receivedBase(messageId);
  const there = await seeBoth(parts, base);
  if (there.control && there.data)
    return { entry: putStaged(parts, { messageId, isReport: false, linkedId: null, moves: [] }), bytes: 0 };
  const staged = stagedName(parts, `${base}.dat`);
  const { metadata, bytes } = await download(parts, messageId, join(parts.tree.staging, staged), signal);
  const isReport = metadata.type === 'REPORT';
  const choice = isReport ? chooseReport(parts, metadata) : 'place';
  if (choice === 'later') return undefined;
  const isThere = isReport && there.control;
  const moves = choice === 'told' || isThere ? [] : await stage(parts, metadata, base);
  reached(steps.inDownloaded);
  const entry = putStaged(parts, { messageId, isReport, linkedId: metadata.linkedMessageId ?? null, moves });
  return { entry, bytes };
}

function putStaged(
  parts: MailboxParts,
  facts: Pick<IncomingEntry, 'messageId' | 'isReport' | 'linkedId' | 'moves'>,
): IncomingEntry {
  const entry = put(parts, { ...facts, mailbox: parts.mailbox.id, state: 'staged', progress: null, changedMs: 0 });
  reached(steps.inStaged);
  return entry;
}

/** A journal that was lost must not deliver anew what still lies in IN. */
async function seeBoth({ tree }: MailboxParts, base: string): Promise<{ control: boolean; data: boolean }> {
  const [control, data] = await Promise.all([
    seeFile(join(tree.in, `${base}.ctl`)),
    seeFile(join(tree.in, `${base}.dat`)),
  ]);
  return { control: control !== undefined, data: data !== undefined };
}

/** Into a file of TEMP, flushed. */
async function download(
  parts: MailboxParts,
  messageId: string,
  path: string,
  signal: AbortSignal,
): Promise<DownloadedFile> {
  const file = await downloadOrGoOn(parts, messageId, path, signal);
  // The SDK makes files for its owner alone; those in IN are for the application, as the process's umask says.
  if (file.metadata.type === 'DATA') await chmod(path, 0o666 & ~process.umask());
  return file;
}

/** A message of several chunks goes on where an earlier attempt ended. */
async function downloadOrGoOn(
  parts: MailboxParts,
  messageId: string,
  path: string,
  signal: AbortSignal,
): Promise<DownloadedFile> {
  const { journal, mailbox, service } = parts;
  const progress = journal.incoming(mailbox.id, messageId)?.progress ?? null;
  const onState = (state: DownloadState): void => {
    if (state.totalChunks === 1) return;
    const facts = { mailbox: mailbox.id, messageId, isReport: false, linkedId: null, moves: null };
    put(parts, { ...facts, state: 'fetching', progress: JSON.stringify(state), changedMs: 0 });
    reached(steps.inChunk);
  };
  try {
    const state = progress === null ? undefined : parseDownloadState(JSON.parse(progress));
    return await service.downloadToFile(messageId, path, { state, overwrite: true, onState, signal });
  } catch (error) {
    const isLost =
      error instanceof MeshError && ['state-unusable', 'file-unusable'].includes(error.code) && progress !== null;
    if (!isLost) throw error;
    // What was fetched before is not there any more as it was: all of it is fetched anew.
    return await service.downloadToFile(messageId, path, { overwrite: true, onState, signal });
  }
}

/** Builds the files beside the data, and lists what is to be moved: data first, the control file last. */
async function stage(parts: MailboxParts, metadata: MessageMetadata, base: string): Promise<readonly StagedMove[]> {
  const { tree, mailbox, rules, lineEnd, nowMs, config } = parts;
  const moves: StagedMove[] = [];
  const add = (extension: string): string => {
    const staged = stagedName(parts, `${base}${extension}`);
    moves.push({ kind: 'place', staged, folder: 'in', name: `${base}${extension}` });
    return join(tree.staging, staged);
  };
  if (metadata.type === 'REPORT') {
    await writeFlushed(add('.ctl'), writeControlFile(serviceReport(metadata, mailbox.id, rules, nowMs()), lineEnd));
  } else {
    add('.dat');
    if (config.metaFile) await writeFlushed(add('.meta.json'), metaOf(metadata));
    await writeFlushed(add('.ctl'), writeControlFile(receivedCopy(metadata, mailbox.id, rules, nowMs()), lineEnd));
  }
  await putMark(parts, metadata.messageId);
  await syncFolder(tree.staging);
  return moves;
}

/** What the control file has no room for. */
function metaOf({ fileName, contentType, messageId }: MessageMetadata): Buffer {
  return Buffer.from(`${JSON.stringify({ messageId, fileName, contentType }, undefined, 2)}\n`);
}
