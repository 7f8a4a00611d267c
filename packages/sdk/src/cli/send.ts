import { randomUUID } from 'node:crypto';
import { MeshClient } from '../client.ts';
import { fromFile } from '../payload/file-payload.ts';
import type { PayloadSource } from '../payload/payload.ts';
import { fromStream } from '../payload/stream-payload.ts';
import type { OutgoingMessage } from '../send/outgoing-message.ts';
import type { SendOptions } from '../send/send.ts';
import type { SendOutcome, SendResolution } from '../send/send-outcome.ts';
import { parseUploadState, type UploadState } from '../send/upload-state.ts';
import { type Command, type CommandIo, type Request, readNeeded, readWhole, usage } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { errorFields, printError, printFields, printJson } from './print.ts';
import { progressBar } from './progress-bar.ts';
import { readSettings } from './read-settings.ts';
import { TransferStateFile } from './transfer-state-file.ts';

const mib = 1024 * 1024;
const chunkMibMax = 50;
const parallelMax = 32;

export const sendCommand: Command = {
  name: 'send',
  summary: 'send a file',
  about:
    'Sends FILE, or what comes in when FILE is "-", to a mailbox, in chunks when it is large, and prints the message id. ' +
    'The name of the file is not sent: it may say who the patient is. An answer that is lost is looked for by the local ' +
    'id; nothing is sent twice.',
  positionals: ['FILE'],
  options: {
    to: { value: 'MAILBOX', says: 'who shall get it; needed' },
    workflow: { value: 'ID', says: 'what it is, as both sides have agreed; needed' },
    subject: { value: 'TEXT', says: 'for people at the other end' },
    'local-id': { value: 'TEXT', says: 'your reference, by which it can be tracked; one is made up when absent' },
    'file-name': { value: 'NAME', says: 'the name the other end shall see' },
    'content-type': { value: 'TYPE', says: 'such as application/fhir+json' },
    checksum: { value: 'TEXT', says: 'passed through; letters, digits, ":", "-", "/"' },
    encrypted: { says: 'say that the content is encrypted' },
    compressed: { says: 'say that the content itself is compressed' },
    gzip: { says: 'pack each chunk on the way; it arrives unpacked' },
    'chunk-mib': { value: 'N', says: 'size of a chunk in MiB, 1 to 50; 50 when absent' },
    parallel: { value: 'N', says: 'chunks at once; chosen by what the service allows when absent' },
    state: { value: 'FILE', says: 'keep the state of a large upload there, and go on from it when it is there' },
  },
  run: runSend,
};

async function runSend(request: Request, io: CommandIo): Promise<ExitCode> {
  const [path = ''] = request.positionals;
  const { options } = request;
  if (path === '-' && options['state'] !== undefined) throw usage(sendCommand, '--state needs a file, not "-"');
  const message = messageOf(request);
  const sending: SendOptions = {
    gzip: options['gzip'] !== undefined,
    chunkBytes: mibOf(readWhole(sendCommand, request, 'chunk-mib', chunkMibMax)),
    parallelChunks: readWhole(sendCommand, request, 'parallel', parallelMax),
    signal: io.signal,
    onProgress: request.isJson ? undefined : progressBar(io),
  };
  const payload = path === '-' ? fromStream(io.stdin) : fromFile(path);
  await using client = new MeshClient(readSettings(request, io));
  const outcome = await sendOrResume(client, message, payload, sending, options['state']);
  return report(client, message, outcome, request, io);
}

async function sendOrResume(
  client: MeshClient,
  message: OutgoingMessage,
  payload: PayloadSource,
  options: SendOptions,
  statePath: string | undefined,
): Promise<SendOutcome> {
  if (statePath === undefined) return client.send(message, payload, options);
  const file = new TransferStateFile<UploadState>(statePath, parseUploadState);
  const keeping = { ...options, onState: (state: UploadState) => file.write(state) };
  const state = await file.read();
  const outcome =
    state === undefined
      ? await client.send(message, payload, keeping)
      : await client.resumeSend(payload, state, keeping);
  if (outcome.kind === 'sent') await file.remove();
  return outcome;
}

async function report(
  client: MeshClient,
  message: OutgoingMessage,
  outcome: SendOutcome,
  { isJson }: Request,
  io: CommandIo,
): Promise<ExitCode> {
  const { localId } = message;
  if (outcome.kind === 'sent') {
    const { messageId, sizeBytes, totalChunks } = outcome;
    if (isJson) printJson(io, { outcome: 'sent', messageId, localId, sizeBytes, totalChunks });
    else printFields(io, { sent: messageId, 'local id': localId, bytes: sizeBytes, chunks: totalChunks });
    return exitCodes.ok;
  }
  const found = await client.resolveSend(outcome, { signal: io.signal });
  if (isJson) {
    const messageId = 'messageId' in found ? found.messageId : undefined;
    printJson(io, { outcome: wordOf(found), messageId, localId, cause: errorFields(outcome.cause) });
  } else {
    printError(io, outcome.cause, false);
    io.stdout(`${sentenceOf(found, localId)}\n`);
  }
  return found.kind === 'arrived'
    ? exitCodes.ok
    : found.kind === 'not-found'
      ? exitCodes.unavailable
      : exitCodes.unknown;
}

function wordOf({ kind }: SendResolution): string {
  return kind === 'arrived' ? 'sent' : kind;
}

function sentenceOf(found: SendResolution, localId: string | undefined): string {
  switch (found.kind) {
    case 'arrived':
      return `The answer was lost, but the service has the message: ${found.messageId}, ${found.tracking.status}.`;
    case 'uploading':
      return `The answer was lost. An upload began as ${found.messageId} and nothing was delivered; send it again.`;
    case 'not-found':
      return `The answer was lost, and the service knows no message with the local id ${localId}; send it again.`;
    case 'undecided':
      return `The answer was lost, and it cannot be told whether the message was taken (${found.reason}); ask the recipient.`;
  }
}

function messageOf(request: Request): OutgoingMessage {
  const { options } = request;
  return {
    to: readNeeded(sendCommand, request, 'to'),
    workflowId: readNeeded(sendCommand, request, 'workflow'),
    subject: options['subject'],
    localId: options['local-id'] ?? `mesh-${randomUUID()}`,
    fileName: options['file-name'],
    contentType: options['content-type'],
    checksum: options['checksum'],
    encrypted: options['encrypted'] !== undefined,
    compressed: options['compressed'] !== undefined,
  };
}

function mibOf(count: number | undefined): number | undefined {
  return count === undefined ? undefined : count * mib;
}
