import { MeshClient } from '../client.ts';
import type { MessageMetadata } from '../receive/message-metadata.ts';
import { type Command, type CommandIo, type Request, readWhole } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { plain, printJson } from './print.ts';
import { readSettings } from './read-settings.ts';

const messagesMaxDefault = 500;
const messagesMaxCeiling = 1_000_000;

export const inboxCommand: Command = {
  name: 'inbox',
  summary: 'list what waits',
  about: 'Prints the ids of waiting messages, oldest first, one a line. Changes nothing.',
  positionals: [],
  options: {
    workflow: { value: 'FILTER', says: 'x is, x* begins with, *x* contains; ! before it negates' },
    max: { value: 'N', says: `print no more than so many; ${messagesMaxDefault} when absent` },
    details: { says: 'ask about each and print sender, workflow, type, chunks and subject too' },
    count: { says: 'print only how many wait' },
  },
  run: runInbox,
};

async function runInbox(request: Request, io: CommandIo): Promise<ExitCode> {
  const { options, isJson } = request;
  const max = readWhole(inboxCommand, request, 'max', messagesMaxCeiling) ?? messagesMaxDefault;
  await using client = new MeshClient(readSettings(request, io));
  const { signal } = io;
  if (options['count'] !== undefined) {
    const count = await client.count({ signal });
    if (isJson) printJson(io, { count });
    else io.stdout(`${count}\n`);
    return exitCodes.ok;
  }
  const messages: object[] = [];
  let printed = 0;
  try {
    for await (const messageId of client.inbox({ workflowFilter: options['workflow'] }, { signal })) {
      if (printed >= max) break;
      printed += 1;
      const metadata = options['details'] === undefined ? undefined : await client.describe(messageId, { signal });
      if (isJson) messages.push(metadata === undefined ? { messageId } : jsonOf(metadata));
      else io.stdout(`${metadata === undefined ? messageId : lineOf(metadata)}\n`);
    }
  } catch (error) {
    // What was found is not lost by what went wrong behind it.
    if (messages.length > 0) printJson(io, { messages });
    throw error;
  }
  if (isJson) printJson(io, { messages });
  else if (printed === 0) io.stderr('nothing waits\n');
  return exitCodes.ok;
}

function lineOf({ messageId, type, from, workflowId, totalChunks, subject, status }: MessageMetadata): string {
  const said = type === 'REPORT' ? `${status.code ?? ''} ${status.description ?? ''}` : (subject ?? '');
  return [messageId, type, from ?? '-', workflowId ?? '-', `${totalChunks}`, said].map(plain).join('  ').trimEnd();
}

/** Metadata as JSON, the headers as an object. */
export function jsonOf({ headers, ...metadata }: MessageMetadata): object {
  const mex = [...headers].filter(([name]) => name.startsWith('mex-'));
  return { ...metadata, headers: Object.fromEntries(mex) };
}
