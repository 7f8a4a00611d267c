import type { Config } from '../../config/config.ts';
import { type AdminSession, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { instantText, printJson } from '../print.ts';
import { readCount } from '../read-options.ts';
import { validNow } from './known-keys.ts';

const hourMs = 3_600_000;
const hoursMax = 90 * 24;

async function end({ ledger }: AdminSession, config: Config, sharedKeyId: string, endMs: number, world: Surroundings) {
  const nowMs = world.now();
  const records = await ledger.registry.load();
  const valid = validNow(records, nowMs);
  const row = valid.find((each) => each.sharedKeyId === sharedKeyId);
  if (row === undefined)
    throw new CommandRefusal(exitCodes.failed, 'no shared key of this name is valid: see "shared-key list"');
  // One that ends itself some time later leaves nobody who could speak to the exchange then.
  const stay = valid.filter((each) => each !== row && (each.validToMs === null || each.validToMs > endMs));
  if (stay.length === 0 && config.tokens.sharedKeys.length === 0)
    throw new CommandRefusal(
      exitCodes.failed,
      'no other shared key stays valid: add one first, and give it to the callers',
    );
  const detail = JSON.stringify({ validTo: instantText(endMs) });
  const audit = { atMs: nowMs, actor: world.actor(), action: 'shared-key.end', subject: sharedKeyId, detail };
  const sharedKeys = [{ ...row, validToMs: Math.max(endMs, row.validFromMs) }];
  const { version, stale } = await ledger.registry.change({ sharedKeys, ifVersion: records.version, audit });
  if (stale === true) throw new CommandRefusal(exitCodes.failed, 'the registry was changed meanwhile; try again');
  return { sharedKeyId, version, validTo: instantText(endMs) };
}

/** `shared-key end`: an earlier key of the token hash is refused. */
export function createSharedKeyEnd(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'shared-key end',
    summary: 'end a shared key, now or later',
    about: [
      'Tokens made with KEY are refused from then on, within seconds on every running server. The last valid key cannot be',
      'ended. A key of the settings is ended by taking it out of them and starting again.',
    ].join('\n'),
    positionals: ['KEY'],
    options: { after: { value: 'HOURS', says: 'how long it stays valid (default 0)' } },
    exits: {
      failed: 'no valid key has this name, it is the last one, or the registry was changed meanwhile',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options, json }, io) {
      const { config } = goodConfig(io.env);
      const endMs = world.now() + readCount('after', options.after, 0, 0, hoursMax) * hourMs;
      const sharedKeyId = positionals[0] ?? '';
      const ended = await withSession(open, io, (session) => end(session, config, sharedKeyId, endMs, world));
      if (json) printJson(io, ended);
      else io.stdout(`${sharedKeyId} is valid until ${ended.validTo}\n`);
      return exitCodes.ok;
    },
  });
}
