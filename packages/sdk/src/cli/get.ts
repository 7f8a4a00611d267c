import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshClient } from '../client.ts';
import { type DownloadState, parseDownloadState } from '../receive/download-state.ts';
import type { MessageMetadata } from '../receive/message-metadata.ts';
import { type Command, type CommandIo, type Request, usage } from './command.ts';
import { CommandRefusal, type ExitCode, exitCodes } from './exit-codes.ts';
import { jsonOf } from './inbox.ts';
import { printFields, printJson } from './print.ts';
import { progressBar } from './progress-bar.ts';
import { readSettings } from './read-settings.ts';
import { TransferStateFile } from './transfer-state-file.ts';

export const getCommand: Command = {
  name: 'get',
  summary: 'download a message',
  about:
    'Downloads a message into a file named for its id, or every waiting one with --all. What was interrupted goes on ' +
    'where it ended. A message stays in the inbox until it is acknowledged. A report has no content and makes no file.',
  positionals: ['[ID]'],
  options: {
    all: { says: 'every waiting message, oldest first' },
    out: { value: 'FILE', says: 'the file to make; "-" prints the content' },
    dir: { value: 'FOLDER', says: 'where files named for their ids are made; the current one when absent' },
    ack: { says: 'acknowledge each message once its file is flushed' },
  },
  run: runGet,
};

interface Got {
  readonly metadata: MessageMetadata;
  readonly file: string | undefined;
  readonly bytes: number;
}

async function runGet(request: Request, io: CommandIo): Promise<ExitCode> {
  const { options, positionals, isJson } = request;
  const [id] = positionals;
  if ((id === undefined) === (options['all'] === undefined)) throw usage(getCommand, 'get takes an ID, or --all');
  if (options['out'] !== undefined && id === undefined) throw usage(getCommand, '--out goes with an ID');
  await using client = new MeshClient(readSettings(request, io));
  if (id !== undefined && options['out'] === '-') return await printContent(client, id, request, io);
  const got: object[] = [];
  try {
    for await (const messageId of id === undefined ? client.inbox({}, io) : [id.toUpperCase()]) {
      const path = options['out'] ?? join(options['dir'] ?? '.', `${messageId}.dat`);
      const one = await getToFile(client, messageId, path, request, io);
      const acknowledged = await acknowledgeIfAsked(client, messageId, request, io);
      if (isJson) got.push({ file: one.file, bytes: one.bytes, acknowledged, metadata: jsonOf(one.metadata) });
      else printGot(io, one, acknowledged);
    }
  } catch (error) {
    // Who acknowledged messages must hear of them, whatever went wrong behind them.
    if (got.length > 0) printJson(io, { messages: got });
    throw error;
  }
  if (isJson) printJson(io, { messages: got });
  else if (id === undefined) io.stderr('nothing else waits\n');
  return exitCodes.ok;
}

/** Beside the file until it is whole, under names of its own, so that nobody takes a part for the whole. */
async function getToFile(client: MeshClient, id: string, path: string, request: Request, io: CommandIo): Promise<Got> {
  const part = `${path}.part`;
  const stateFile = new TransferStateFile<DownloadState>(`${path}.part.state`, parseDownloadState);
  const stored = await stateFile.read();
  const { metadata, bytes } = await client.downloadToFile(id, part, {
    state: stored,
    overwrite: true,
    signal: io.signal,
    onState: (state) => (state.totalChunks > 1 ? stateFile.write(state) : undefined),
    onProgress: request.isJson ? undefined : progressBar(io),
  });
  if (metadata.type === 'REPORT') return { metadata, file: undefined, bytes };
  try {
    await rename(part, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandRefusal(exitCodes.file, `the file cannot be given its name: ${code}; its content is in ${part}`);
  }
  await stateFile.remove();
  return { metadata, file: path, bytes };
}

async function printContent(client: MeshClient, id: string, request: Request, io: CommandIo): Promise<ExitCode> {
  for await (const block of await client.download(id, { signal: io.signal })) await io.content(block);
  await acknowledgeIfAsked(client, id, request, io);
  return exitCodes.ok;
}

async function acknowledgeIfAsked(
  client: MeshClient,
  id: string,
  { options }: Request,
  { signal }: CommandIo,
): Promise<boolean> {
  if (options['ack'] === undefined) return false;
  await client.acknowledge(id, { signal });
  return true;
}

function printGot(io: CommandIo, { metadata, file, bytes }: Got, acknowledged: boolean): void {
  const { messageId, type, from, workflowId, subject, fileName, localId, status, linkedMessageId } = metadata;
  const report =
    type === 'REPORT' ? { says: `${status.code ?? ''} ${status.description ?? ''}`, about: linkedMessageId } : {};
  printFields(io, {
    [type === 'REPORT' ? 'report' : 'message']: messageId,
    from,
    workflow: workflowId,
    subject,
    'file name': fileName,
    'local id': localId,
    ...report,
    file,
    bytes: file === undefined ? undefined : bytes,
    acknowledged: acknowledged ? 'yes' : 'no',
  });
}
