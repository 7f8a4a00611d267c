import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { copyBodiesOnly, type MoveProgress, moveStores } from '../../compose/migrate.ts';
import { type CommandIo, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { printJson } from '../print.ts';
import { mebibytes, sayProgress, sayUnchecked } from './progress.ts';
import { refusingCopies } from './refusals.ts';

/** `migrate-store`: from one machine's stores to those that several nodes share. */
export const migrateStoreCommand = defineCommand({
  path: 'migrate-store',
  summary: 'move an exchange from SQLite to PostgreSQL, and its bodies with it',
  about: [
    'Reads the stores of the environment, and FILE for those to move to: the new settings, NAME=VALUE a line, as they will be',
    'served. First run it with --bodies-only while the exchange runs, as often as you like. Then stop the exchange and run it',
    'without: it copies the bodies that came since, then every row in one transaction, and gives the old ledger another name.',
    'Tokens that were used stay used. If anything fails, the old stores are as they were.',
  ].join('\n'),
  positionals: ['FILE'],
  options: { 'bodies-only': { says: 'copy the bodies there are now; the exchange may run' } },
  exits: {
    failed: 'the exchange runs, the new ledger is not empty, a body is missing or damaged, or the engines do not fit',
    badInput: 'FILE cannot be read',
    unavailable: 'a store cannot be reached',
    config: 'the old or the new settings are not good',
  },
  async run({ positionals: [file = ''], options, json }, io) {
    const { config: from } = goodConfig(io.env);
    const { config: to } = goodConfig(settingsIn(file), `the settings of ${file}`);
    const progress = sayProgress<MoveProgress>(io, ({ phase, done, bytes }) =>
      phase === 'bodies' ? `bodies: ${done}, ${mebibytes(bytes)}` : `ledger: ${done} rows`,
    );
    const bodiesOnly = options['bodies-only'] !== undefined;
    const moved = await refusingCopies(() => (bodiesOnly ? copyBodiesOnly : moveStores)(from, to, progress));
    if (json) printJson(io, moved);
    else say(io, moved);
    if (moved.absentCount === 0) return exitCodes.ok;
    for (const { ref, why } of moved.absent) io.stderr(`${why}: ${ref}\n`);
    if (!bodiesOnly) io.stderr('the ledger was not moved: mend these first, or restore them from a backup\n');
    return exitCodes.failed;
  },
});

function settingsIn(file: string): CommandIo['env'] {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandRefusal(exitCodes.badInput, `${file} cannot be read (${code})`);
  }
}

function say(io: CommandIo, moved: Awaited<ReturnType<typeof moveStores>>): void {
  sayUnchecked(io, moved.unchecked);
  io.stdout(`${moved.bodies} bodies, ${moved.there} of which were there (${mebibytes(moved.bytes)})\n`);
  if (moved.retired === undefined) return;
  io.stdout(
    `${moved.rows} rows and ${moved.tokens} used tokens; the old ledger is now ${moved.retired}: serve with the new settings\n`,
  );
}
