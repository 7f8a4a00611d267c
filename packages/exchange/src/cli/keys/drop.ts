import type { Config } from '../../config/config.ts';
import { dropSecretKey, keyFileAgeMs, requireOlderKey } from '../../config/key-file.ts';
import { type AdminSession, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, type CommandIo, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { printJson } from '../print.ts';
import { changeFile, countUses, isUsed } from './key-uses.ts';

/**
 * A running exchange reads the file every few seconds, and a commit that waits for its ledger is given up within three minutes:
 * what came under the key in use until then is there by now, or never will be.
 */
const settledMs = 5 * 60_000;

/** Resolves after so many milliseconds. */
export type Wait = (ms: number) => Promise<void>;

/** `keys drop`: an older key that nothing needs leaves the file. */
export function createKeysDrop(open: OpenForAdmin, world: Surroundings, wait: Wait): Command {
  return defineCommand({
    path: 'keys drop',
    summary: 'take a key that is not used any more out of the file',
    about: [
      'Takes KEY out of OPENMESH_SECRET_KEY_FILE when nothing in the ledger is kept under it any more, and it is not in use.',
      'Waits until no key was added or promoted for five minutes: a message on its way then may still come under KEY.',
      'A backup of the ledger that was made before "keys rewrap" needs the key still: keep a copy of the file as long as',
      'such a backup.',
    ].join('\n'),
    positionals: ['KEY'],
    options: {},
    exits: {
      failed: 'the file holds no such key, it is in use, or something is kept under it',
      unavailable: 'the ledger is away',
      cannotCreate: 'the file cannot be replaced; it is as it was',
      config: 'the settings are not good',
    },
    async run({ positionals, json }, io) {
      const keyId = positionals[0] ?? '';
      const { config } = goodConfig(io.env);
      await withSession(open, io, async (session) => {
        await requireUnused(session, config, keyId);
        changeFile(() => requireOlderKey(config, keyId));
        await untilSettled(config, io, wait);
        await requireUnused(session, config, keyId);
        changeFile(() => dropSecretKey(config, keyId));
        const who = { atMs: world.now(), actor: world.actor() };
        await session.ledger.audit.append({ ...who, action: 'keys.drop', subject: keyId, detail: '{}' });
      });
      if (json) printJson(io, { keyId, dropped: true });
      else io.stdout(`key ${keyId} is no longer in ${config.secretKey.file}\n`);
      return exitCodes.ok;
    },
  });
}

async function requireUnused(session: AdminSession, config: Config, keyId: string): Promise<void> {
  const found = (await countUses(session, config)).find((key) => key.keyId === keyId);
  if (found === undefined || !isUsed(found)) return;
  throw new CommandRefusal(exitCodes.failed, `something is kept under key ${keyId} still: run "keys rewrap" first`);
}

async function untilSettled(config: Config, io: CommandIo, wait: Wait): Promise<void> {
  for (;;) {
    // A clock that was set back makes nobody wait for longer.
    const restMs = settledMs - Math.max(0, keyFileAgeMs(config, Date.now()));
    if (restMs <= 0) return;
    io.stderr(`waiting ${Math.ceil(restMs / 1000)} s, for a message on its way may still come under this key\n`);
    await wait(restMs);
  }
}
