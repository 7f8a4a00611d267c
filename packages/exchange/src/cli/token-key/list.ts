import { isValidAt } from '../../mailbox/registered.ts';
import type { SharedKeyRecord } from '../../store/ledger/registry.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { instantText, printJson, printTable } from '../print.ts';

/** `shared-key list`: names and validity, never keys. */
export function createSharedKeyList(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'shared-key list',
    summary: 'list the shared keys by name, and when they are valid',
    about: 'Lists the keys of the token hash that are kept in the ledger, and says how many the settings have besides.',
    positionals: [],
    options: {},
    exits: { unavailable: 'the ledger is away', config: 'the settings are not good' },
    async run({ json }, io) {
      const inSettings = goodConfig(io.env).config.tokens.sharedKeys.length;
      const nowMs = world.now();
      const { sharedKeys } = await withSession(open, io, ({ ledger }) => ledger.registry.load());
      const shown = sharedKeys.map((row: SharedKeyRecord) => {
        const { sealed: _withheld, ...rest } = row;
        return { ...rest, valid: isValidAt(row, nowMs) };
      });
      if (json) printJson(io, { inSettings, sharedKeys: shown });
      else {
        const rows = shown.map(({ sharedKeyId, validFromMs, validToMs, valid }) => {
          return [sharedKeyId, instantText(validFromMs), instantText(validToMs), valid ? 'valid' : 'not valid'];
        });
        printTable(io, ['key', 'valid from', 'valid to', 'now'], rows);
        io.stdout(`${inSettings} in the settings\n`);
      }
      return exitCodes.ok;
    },
  });
}
