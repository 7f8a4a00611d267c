import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { exportLines } from '../mailbox/export-lines.ts';
import type { RegistryRecords } from '../store/ledger/registry.ts';
import { type OpenForAdmin, withSession } from './admin-session.ts';
import { type Command, exitCodes } from './command.ts';
import { CommandRefusal, defineCommand } from './define-command.ts';
import { printJson } from './print.ts';

const blockLength = 64 * 1024;

/** Hands the lines on in blocks, since a write for each of 150,000 lines is the slow way. Answers their number. */
function writeLines(records: RegistryRecords, write: (block: string) => void): number {
  let block = '';
  let lines = 0;
  for (const line of exportLines(records)) {
    block += line;
    lines += 1;
    if (block.length < blockLength) continue;
    write(block);
    block = '';
  }
  if (block !== '') write(block);
  return lines;
}

/**
 * Readable by its owner only and flushed before it is said to be there; a file that exists is never replaced. It has another
 * name until it is whole: a part of it would be imported without a word.
 */
function writeFile(file: string, records: RegistryRecords): number {
  if (existsSync(file)) throw exists(file);
  const aside = `${file}.unfinished-${randomBytes(4).toString('hex')}`;
  let handle: number;
  try {
    handle = openSync(aside, 'wx', 0o600);
  } catch (error) {
    throw new CommandRefusal(exitCodes.cannotCreate, `${file} cannot be created (${codeOf(error)})`);
  }
  try {
    try {
      const lines = writeLines(records, (block) => {
        const bytes = Buffer.from(block, 'utf8');
        for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      });
      fsyncSync(handle);
      giveName(aside, file);
      return lines;
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw exists(file);
    const why = `could not be written (${codeOf(error)}); nothing is left of it`;
    throw new CommandRefusal(exitCodes.cannotCreate, `${file} ${why}`);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Unlike renaming, a second name takes no file's place; where the file system knows none, it is renamed. */
function giveName(aside: string, file: string): void {
  try {
    linkSync(aside, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || existsSync(file)) throw error;
    renameSync(aside, file);
  }
}

function exists(file: string): CommandRefusal {
  return new CommandRefusal(exitCodes.cannotCreate, `${file} exists already: choose another name`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

/** `export`: the whole registry as the lines `import` reads. */
export function createExportCommand(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'export',
    summary: 'write the registry as a file that import reads',
    about: [
      'Writes mailboxes, workflows, groups, approvals, sealed passwords, registrations, rules and certificates, one JSON',
      'object a line. Passwords stay sealed: the file can be imported only where the same secret key is held.',
    ].join('\n'),
    positionals: [],
    options: {
      output: { value: 'FILE', says: 'write to FILE, which must not exist yet, instead of standard output' },
      'with-passwords': { says: 'refused: passwords never leave the exchange in the clear' },
    },
    exits: {
      badInput: '--with-passwords was asked for',
      unavailable: 'the ledger is away',
      cannotCreate: 'FILE exists or cannot be written',
      config: 'the settings are not good',
    },
    run: ({ options, json }, io) => {
      if (options['with-passwords'] !== undefined) {
        const say = 'passwords are never exported in the clear; set a new one with "mailbox rotate-password"';
        throw new CommandRefusal(exitCodes.badInput, say);
      }
      return withSession(open, io, async ({ ledger }) => {
        const records = await ledger.registry.load();
        if (options.output === undefined) {
          writeLines(records, io.stdout);
          return exitCodes.ok;
        }
        const lines = writeFile(options.output, records);
        const { version } = records;
        if (json) printJson(io, { file: options.output, lines, version });
        else io.stdout(`wrote ${lines} lines of version ${version} to ${options.output}\n`);
        return exitCodes.ok;
      });
    },
  });
}
