import { createReadStream } from 'node:fs';
import { checkDirectory, type DirectoryProblem, loadDirectory } from '../../mailbox/directory/load-directory.ts';
import { type AdminSession, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, type CommandIo, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand, type ExitCode } from '../define-command.ts';
import { printJson } from '../print.ts';
import { canBeReadAgain } from '../read-again.ts';

const blockBytes = 1024 * 1024;

interface LoadRequest {
  readonly file: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

async function* readBlocks(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const block of createReadStream(file, { highWaterMark: blockBytes })) yield block as Uint8Array;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandRefusal(exitCodes.badInput, `${file} cannot be read (${code})`);
  }
}

function refuse(problems: readonly DirectoryProblem[], json: boolean, io: CommandIo): ExitCode {
  if (json) printJson(io, { ok: false, problems });
  else {
    for (const { number, problem } of problems) io.stderr(`object ${number} ${problem}\n`);
    io.stderr(`nothing was loaded: at least ${problems.length} problem(s); put them right and load again\n`);
  }
  return exitCodes.badInput;
}

async function load({ ledger }: AdminSession, request: LoadRequest, world: Surroundings, io: CommandIo) {
  const { file, dryRun, json } = request;
  if (!canBeReadAgain(file)) {
    const say = `${file} is no file: it is read twice, and a pipe would have nothing left; write it to a file first`;
    throw new CommandRefusal(exitCodes.badInput, say);
  }
  const checked = await checkDirectory(readBlocks(file));
  const { organisations, links, problems } = checked;
  if (problems.length > 0) return refuse(problems, json, io);
  if (dryRun) {
    if (json) printJson(io, { ok: true, dryRun, organisations, links });
    else io.stdout(`would load ${organisations} organisations and ${links} links\n`);
    return exitCodes.ok;
  }
  io.stderr(`loading ${organisations} organisations and ${links} links\n`);
  const { rowsChanged, alerts } = await loadDirectory(readBlocks(file), {
    ledger: ledger.directory,
    nowMs: world.now,
    onProgress: (done) => io.stderr(`loaded ${done} of ${organisations} organisations\n`),
  });
  const detail = JSON.stringify({ organisations, links, rowsChanged, alerts });
  const who = { atMs: world.now(), actor: world.actor() };
  if (rowsChanged > 0) await ledger.audit.append({ ...who, action: 'directory.load', subject: 'directory', detail });
  if (json) printJson(io, { ok: true, dryRun, organisations, links, rowsChanged, alerts });
  else {
    io.stdout(`changed ${rowsChanged} row(s)\n`);
    if (alerts > 0) io.stdout(`${alerts} alert(s) about organisations with mailboxes: see "directory alerts"\n`);
  }
  return exitCodes.ok;
}

/** `directory load`: organisations from a FHIR Bundle or from lines. */
export function createDirectoryLoad(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'directory load',
    summary: 'take organisations from a file',
    about: [
      'Reads FILE twice: first to see that all of it can be read, and only then into the directory. It is a FHIR R4 Bundle,',
      'or one JSON object a line: Organization, OrganizationAffiliation, or a line of our own, described in',
      'docs/operate/directory.md. What FILE does not name stays. Loading a file again changes nothing; a load that was',
      'broken off is done again. An organisation with mailboxes that closes, is renamed or succeeded makes an alert.',
    ].join('\n'),
    positionals: ['FILE'],
    options: { 'dry-run': { says: 'say what would be loaded, and change nothing' } },
    exits: {
      badInput: 'an object is not acceptable or FILE cannot be read; nothing was loaded',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    run: ({ positionals, json, options }, io): Promise<ExitCode> => {
      const request = { file: positionals[0] ?? '', dryRun: options['dry-run'] !== undefined, json };
      return withSession(open, io, (session) => load(session, request, world, io));
    },
  });
}
