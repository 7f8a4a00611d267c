import { createReadStream } from 'node:fs';
import { entryKinds } from '../mailbox/import/entry.ts';
import { takeImportedRules } from '../mailbox/import/imported-rules.ts';
import type { ImportPlan } from '../mailbox/import/plan-builder.ts';
import { planImport } from '../mailbox/import/plan-import.ts';
import {
  type AdminSession,
  hostSurroundings,
  type OpenForAdmin,
  type Surroundings,
  withSession,
} from './admin-session.ts';
import { attemptsMax } from './change-registry.ts';
import { type Command, type CommandIo, exitCodes } from './command.ts';
import { CommandRefusal, defineCommand, type ExitCode } from './define-command.ts';
import { printJson, printTable } from './print.ts';
import { canBeReadAgain } from './read-again.ts';

const blockBytes = 1024 * 1024;

interface ImportRequest {
  readonly file: string;
  readonly dryRun: boolean;
  /** Rules of the file are as approved as it says: what two people decided is restored. */
  readonly trustApprovals: boolean;
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

function listProblems(plan: ImportPlan, io: CommandIo): void {
  for (const { line, problem } of plan.problems) io.stderr(`line ${line}: ${problem}\n`);
  const more = plan.stopped ? ' at least' : '';
  io.stderr(`nothing was imported:${more} ${plan.problems.length} problem(s); put them right and import again\n`);
}

function printOutcome(plan: ImportPlan, request: ImportRequest, version: number, rowsChanged: number, io: CommandIo) {
  if (request.json) {
    const { counts, lines } = plan;
    return printJson(io, { ok: true, dryRun: request.dryRun, lines, counts, rowsChanged, version });
  }
  const cells = entryKinds.map((kind) => [kind, ...Object.values(plan.counts[kind]).map(String)]);
  printTable(io, ['kind', 'added', 'changed', 'unchanged'], cells);
  const did = request.dryRun ? `would change ${rowsChanged} row(s)` : `changed ${rowsChanged} row(s)`;
  io.stdout(`${did}; the registry is at version ${version}\n`);
}

/** Imports what was decided on the registry as it is when reading begins: again when it has moved by the end. */
async function importInto(session: AdminSession, request: ImportRequest, world: Surroundings, io: CommandIo) {
  const attempts = request.file !== '-' && canBeReadAgain(request.file) ? attemptsMax : 1;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const outcome = await tryImport(session, request, world, io);
    if (outcome !== 'stale') return outcome;
  }
  const say = 'the registry was changed meanwhile; nothing was imported; try again';
  throw new CommandRefusal(exitCodes.unavailable, say);
}

async function tryImport(
  session: AdminSession,
  request: ImportRequest,
  world: Surroundings,
  io: CommandIo,
): Promise<ExitCode | 'stale'> {
  const { registry } = session.ledger;
  const current = await registry.load();
  const plan = await planImport({
    blocks: request.file === '-' ? world.stdin : readBlocks(request.file),
    current,
    sealer: session.sealer,
    onProgress: (lines) => io.stderr(`read ${lines} lines\n`),
  });
  if (plan.problems.length > 0) {
    if (request.json) printJson(io, { ok: false, problems: plan.problems, stopped: plan.stopped });
    else listProblems(plan, io);
    return exitCodes.badInput;
  }
  const { trustApprovals } = request;
  const by = { actor: world.actor(), nowMs: world.now() };
  const taken = takeImportedRules({ current, change: plan.change, trustApprovals, ...by });
  if (taken.problems.length > 0) {
    if (request.json) printJson(io, { ok: false, problems: taken.problems.map((problem) => ({ line: 0, problem })) });
    else io.stderr(`nothing was imported:\n  ${taken.problems.join('\n  ')}\n`);
    return exitCodes.badInput;
  }
  const change = { ...plan.change, rules: taken.rules };
  const wanted = Object.values(change).reduce((sum, rows) => sum + rows.length, 0);
  if (request.dryRun || wanted === 0) {
    printOutcome(plan, request, current.version, wanted, io);
    return exitCodes.ok;
  }
  io.stderr(`writing ${wanted} rows\n`);
  const { version, rowsChanged, stale } = await registry.change({
    ...change,
    ifVersion: current.version,
    audit: {
      atMs: world.now(),
      actor: world.actor(),
      action: 'registry.import',
      subject: 'registry',
      detail: JSON.stringify({ ...plan.counts, ...(trustApprovals ? { trustApprovals } : {}) }),
    },
  });
  if (stale === true) return 'stale';
  printOutcome(plan, request, version, rowsChanged, io);
  return exitCodes.ok;
}

/** `import`: the registry from NDJSON. */
export function createImportCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): Command {
  return defineCommand({
    path: 'import',
    summary: 'take mailboxes, passwords, workflows, registrations, rules and certificates from a file',
    about: [
      'Reads one JSON object a line from FILE ("-" for standard input) and makes the registry say the same: all of it, or',
      'nothing when any line has a problem. A member left out keeps its value. Importing a file again changes nothing.',
      'A running server takes the change up by itself. The lines are described in docs/operate/command-line.md. A rule of the',
      'file is proposed, and somebody else has to approve it; only --trust-approvals restores rules as they were, and never',
      'a version that was refused, ended or replaced here since: nothing is imported then.',
    ].join('\n'),
    positionals: ['FILE'],
    options: {
      'dry-run': { says: 'say what would change, and change nothing' },
      'trust-approvals': {
        says: 'take rules as approved as the file says, to restore a backup; without it they are proposed',
      },
    },
    exits: {
      badInput: 'a line is not acceptable or FILE cannot be read; nothing was changed',
      unavailable: 'the ledger is away or full, or the registry was changed meanwhile; nothing was changed',
      config: 'the settings are not good',
    },
    run: ({ positionals, json, options }, io): Promise<ExitCode> => {
      const trustApprovals = options['trust-approvals'] !== undefined;
      const request = { file: positionals[0] ?? '-', dryRun: options['dry-run'] !== undefined, trustApprovals, json };
      return withSession(open, io, (session) => importInto(session, request, world, io));
    },
  });
}
