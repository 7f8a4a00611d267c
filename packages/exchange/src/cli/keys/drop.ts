import { dropSecretKey } from '../../config/key-file.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { printJson } from '../print.ts';
import { changeFile, countUses, isUsed } from './key-uses.ts';

/** `keys drop`: an older key that nothing needs leaves the file. */
export function createKeysDrop(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'keys drop',
    summary: 'take a key that is not used any more out of the file',
    about: [
      'Takes KEY out of OPENMESH_SECRET_KEY_FILE when nothing in the ledger is kept under it any more, it is not in use, and',
      'the file was not changed within the last five minutes: messages on their way then may have come under KEY. A backup of',
      'the ledger that was made before "keys rewrap" needs the key still: keep a copy of the file as long as such a backup.',
    ].join('\n'),
    positionals: ['KEY'],
    options: {},
    exits: {
      failed: 'the file holds no such key, it is in use or was so short ago, or something is kept under it',
      unavailable: 'the ledger is away',
      cannotCreate: 'the file cannot be replaced; it is as it was',
      config: 'the settings are not good',
    },
    async run({ positionals, json }, io) {
      const keyId = positionals[0] ?? '';
      const { config } = goodConfig(io.env);
      await withSession(open, io, async (session) => {
        const found = (await countUses(session, config)).find((key) => key.keyId === keyId);
        if (found !== undefined && isUsed(found))
          throw new CommandRefusal(
            exitCodes.failed,
            `something is kept under key ${keyId} still: run "keys rewrap" first`,
          );
        changeFile(() => dropSecretKey(config, keyId, world.now()));
        const who = { atMs: world.now(), actor: world.actor() };
        await session.ledger.audit.append({ ...who, action: 'keys.drop', subject: keyId, detail: '{}' });
      });
      if (json) printJson(io, { keyId, dropped: true });
      else io.stdout(`key ${keyId} is no longer in ${config.secretKey.file}\n`);
      return exitCodes.ok;
    },
  });
}
