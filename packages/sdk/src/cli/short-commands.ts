import { MeshClient } from '../client.ts';
import type { Check } from '../doctor/check.ts';
import { doctor } from '../doctor/doctor.ts';
import { type Command, type CommandIo, type Request, readNeeded, usage } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { plain, printFields, printJson } from './print.ts';
import { readSettings } from './read-settings.ts';

export const ackCommand: Command = {
  name: 'ack',
  summary: 'acknowledge messages',
  about: 'Tells the service that messages are safe here: they leave the inbox and cannot be downloaded again.',
  positionals: ['ID…'],
  options: {},
  run: async (request, io) => {
    await using client = new MeshClient(readSettings(request, io));
    for (const id of request.positionals) {
      await client.acknowledge(id, io);
      if (!request.isJson) io.stdout(`${id} acknowledged\n`);
    }
    if (request.isJson) printJson(io, { acknowledged: request.positionals });
    return exitCodes.ok;
  },
};

export const trackCommand: Command = {
  name: 'track',
  summary: 'say what became of a message that was sent',
  about: 'Prints status, recipient and times of a message of this mailbox. Messages can be tracked for 30 days.',
  positionals: ['[ID]'],
  options: { 'local-id': { value: 'TEXT', says: 'find it by your own reference instead of its id' } },
  run: runTrack,
};

async function runTrack(request: Request, io: CommandIo): Promise<ExitCode> {
  const [id] = request.positionals;
  const localId = request.options['local-id'];
  if ((id === undefined) === (localId === undefined)) throw usage(trackCommand, 'track takes an ID, or --local-id');
  await using client = new MeshClient(readSettings(request, io));
  const found =
    id === undefined
      ? await client.trackByLocalId(localId ?? '', io)
      : ({ kind: 'one', tracking: await client.track(id, io) } as const);
  if (found.kind !== 'one') {
    if (request.isJson) printJson(io, { found: found.kind });
    else io.stdout(found.kind === 'none' ? 'no message has this local id\n' : 'several messages have this local id\n');
    return exitCodes.refused;
  }
  if (request.isJson) printJson(io, found.tracking);
  else printFields(io, { ...found.tracking });
  return exitCodes.ok;
}

export const lookupCommand: Command = {
  name: 'lookup',
  summary: 'find mailboxes for a workflow',
  about: 'Prints the mailboxes that may receive a workflow, of one organisation or of all.',
  positionals: [],
  options: {
    workflow: { value: 'ID', says: 'the workflow; needed' },
    ods: { value: 'CODE', says: 'only of the organisation with this ODS code' },
  },
  run: async (request, io) => {
    const workflowId = readNeeded(lookupCommand, request, 'workflow');
    const odsCode = request.options['ods'];
    await using client = new MeshClient(readSettings(request, io));
    const found =
      odsCode === undefined
        ? await client.searchWorkflow(workflowId, io)
        : await client.lookupEndpoint(odsCode, workflowId, io);
    if (request.isJson) printJson(io, { results: found });
    else for (const { mailboxId, mailboxName } of found) io.stdout(`${plain(mailboxId)}  ${plain(mailboxName)}\n`);
    if (found.length === 0 && !request.isJson) io.stderr('no mailbox is registered for it\n');
    return found.length === 0 ? exitCodes.refused : exitCodes.ok;
  },
};

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'find out what keeps a mailbox from working',
  about:
    'Goes the way of a request step by step: name, proxy, connection, certificates and their days left, clock, password, ' +
    'mailbox, workflow. Says of each whether it works and what to do where it does not. Sends no message.',
  positionals: [],
  options: {
    workflow: { value: 'ID', says: 'also check that this mailbox, or --ods, receives it' },
    ods: { value: 'CODE', says: 'the organisation that should receive the workflow' },
  },
  run: async (request, io) => {
    const { workflow, ods } = request.options;
    const diagnosis = await doctor(readSettings(request, io), {
      workflow: workflow === undefined ? undefined : { workflowId: workflow, odsCode: ods },
      signal: io.signal,
      onCheck: (check) => {
        if (!request.isJson) printCheck(io, check);
      },
    });
    if (request.isJson) printJson(io, diagnosis);
    return diagnosis.isHealthy ? exitCodes.ok : exitCodes.refused;
  },
};

const marks = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ', skipped: '-      ' } as const;

function printCheck(io: CommandIo, { name, status, finding, fix }: Check): void {
  io.stdout(`${marks[status]} ${name.padEnd(19)} ${plain(finding)}\n`);
  if (fix !== undefined) io.stdout(`${' '.repeat(28)}→ ${plain(fix)}\n`);
}
