import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { sharedKeyContext } from '../../mailbox/sealer.ts';
import { type AdminSession, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { choosePassword } from '../mailbox/password.ts';
import { printJson } from '../print.ts';
import { openKey, validKeysMax, validNow } from './known-keys.ts';

const keyIdBytes = 4;

async function add(session: AdminSession, config: Config, key: string, world: Surroundings) {
  const { ledger, sealer } = session;
  const nowMs = world.now();
  const records = await ledger.registry.load();
  const valid = validNow(records, nowMs);
  const ofSettings = config.tokens.sharedKeys.map((each) => each.reveal());
  if ([...ofSettings, ...valid.map((row) => openKey(session, row))].includes(key))
    throw new CommandRefusal(exitCodes.badInput, 'this is a shared key already; give another one');
  if (valid.length + ofSettings.length >= validKeysMax) {
    const say = `${validKeysMax} shared keys are valid already: end one with "shared-key end", or take it out of the settings`;
    throw new CommandRefusal(exitCodes.failed, say);
  }
  const sharedKeyId = `sk-${randomBytes(keyIdBytes).toString('hex')}`;
  const sealed = sealer.seal(key, sharedKeyContext(sharedKeyId));
  const audit = { atMs: nowMs, actor: world.actor(), action: 'shared-key.add', subject: sharedKeyId, detail: '{}' };
  const fresh = { sharedKeyId, sealed, validFromMs: nowMs, validToMs: null };
  const { version, stale } = await ledger.registry.change({ sharedKeys: [fresh], ifVersion: records.version, audit });
  if (stale === true) throw new CommandRefusal(exitCodes.failed, 'the registry was changed meanwhile; try again');
  return { sharedKeyId, version };
}

/** `shared-key add`: another key of the token hash, valid beside the one there is. */
export function createSharedKeyAdd(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'shared-key add',
    summary: 'make another shared key, valid beside the one there is',
    about: [
      'Makes a key for the token hash, keeps it sealed in the ledger and prints it once. Tokens made with any valid key are',
      'taken, so that callers change over one by one; "shared-key end" ends the earlier one. Two are valid at once at most,',
      'those of the settings counted. A running server takes it up by itself within seconds.',
    ].join('\n'),
    positionals: [],
    options: { stdin: { says: 'read the key from standard input instead of making one' } },
    exits: {
      failed: 'two are valid already, or the registry was changed meanwhile',
      badInput: 'the key is not acceptable, or is a shared key already',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const { config } = goodConfig(io.env);
      const { password: key, generated } = await choosePassword(options.stdin !== undefined, world);
      const added = await withSession(open, io, (session) => add(session, config, key, world));
      if (json) printJson(io, { ...added, ...(generated ? { key } : {}) });
      else {
        if (generated) io.stdout(`shared key (shown this once): ${key}\n`);
        io.stdout(`${added.sharedKeyId} is valid from now on\n`);
      }
      return exitCodes.ok;
    },
  });
}
