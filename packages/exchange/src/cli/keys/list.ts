import { type OpenForAdmin, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { printJson, printTable } from '../print.ts';
import { countUses, isUsed, type KeyUseLine } from './key-uses.ts';

function standing(key: KeyUseLine): string {
  if (key.line === null) return 'NOT IN THE FILE: nothing under it can be opened';
  if (key.line === 1) return 'in use';
  return isUsed(key) ? 'opens; "keys rewrap" frees it' : 'not used; "keys drop" takes it out';
}

/** `keys list`: which secret keys there are and what is kept under each. */
export function createKeysList(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'keys list',
    summary: 'list the secret keys and what is kept under each',
    about: [
      'Lists the keys of OPENMESH_SECRET_KEY_FILE by name, never themselves, and counts what is kept under each: keys of',
      'messages, texts of messages, passwords and shared keys. The first of the file is in use, the others open what was',
      'kept before. A key that something needs and the file does not hold is listed too. Counting takes seconds for each',
      'million messages.',
    ].join('\n'),
    positionals: [],
    options: {},
    exits: {
      failed: 'something is kept under a key that the file does not hold',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ json }, io) {
      const { config } = goodConfig(io.env);
      const keys = await withSession(open, io, (session) => countUses(session, config));
      if (json) printJson(io, { keys: keys.map((key) => ({ ...key, inUse: key.line === 1 })) });
      else {
        const rows = keys.map((key) => {
          const counts = [key.payloads, key.texts, key.secrets].map(String);
          return [String(key.line ?? '-'), key.keyId, ...counts, standing(key)];
        });
        printTable(io, ['line', 'key', 'message keys', 'texts', 'secrets', 'standing'], rows);
      }
      return keys.some(({ line }) => line === null) ? exitCodes.failed : exitCodes.ok;
    },
  });
}
