import { MeshClient } from '../client.ts';
import type { Preflight } from '../preflight.ts';
import { type Command, type CommandIo, readNeeded, readWhole } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { plain, printJson } from './print.ts';
import { readSettings } from './read-settings.ts';

export const preflightCommand: Command = {
  name: 'preflight',
  summary: 'ask whether a message would be accepted',
  about:
    'Asks the service whether a message would be accepted and why not, without sending it. An extension of OpenMESH; ' +
    'other services do not know the question.',
  positionals: [],
  options: {
    to: { value: 'ADDRESS', says: 'a mailbox, or the address of a patient’s practice; needed' },
    workflow: { value: 'ID', says: 'the workflow; needed' },
    bytes: { value: 'N', says: 'how large the message would be' },
    chunks: { value: 'N', says: 'in how many chunks it would be sent' },
  },
  run: async (request, io) => {
    const to = readNeeded(preflightCommand, request, 'to');
    const workflowId = readNeeded(preflightCommand, request, 'workflow');
    const sizeBytes = readWhole(preflightCommand, request, 'bytes', 999_999_999_999);
    const totalChunks = readWhole(preflightCommand, request, 'chunks', 1_000_000);
    await using client = new MeshClient(readSettings(request, io));
    const found = await client.preflight({ to, workflowId, sizeBytes, totalChunks }, io);
    if (request.isJson) printJson(io, found);
    else printPreflight(io, found);
    return found.isAccepted && found.objections.length === 0 ? exitCodes.ok : exitCodes.refused;
  },
};

function printPreflight(io: CommandIo, { isAccepted, recipient, objections, warnings }: Preflight): void {
  const where = recipient === undefined ? '' : `, for ${plain(recipient)}`;
  const isReported = isAccepted && objections.length > 0;
  const verdict = isReported ? 'would be accepted and reported back' : 'would be accepted';
  io.stdout(`${isAccepted ? verdict : 'would be refused'}${where}\n`);
  for (const { code, text, hint } of objections) io.stdout(`  ${plain(code)} ${plain(text)}\n  → ${plain(hint)}\n`);
  for (const warning of warnings) io.stdout(`  warning: ${plain(warning)}\n`);
}
