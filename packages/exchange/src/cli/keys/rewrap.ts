import { rewrap } from '../../message/rewrap.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { printJson } from '../print.ts';
import { countUses, isUsed } from './key-uses.ts';

const progressEvery = 10_000;

/** `keys rewrap`: what is kept under older keys comes under the one in use. */
export function createKeysRewrap(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'keys rewrap',
    summary: 'put everything that is kept under older keys under the one in use',
    about: [
      'Seals passwords, shared keys and texts again, and wraps the keys of messages again, under the first key of the file.',
      'Bodies are not touched: their own keys stay. The exchange may run meanwhile; a few hundred rows are changed at a time.',
      'It may be broken off and begun again. Says at the end which keys of the file nothing needs any more.',
    ].join('\n'),
    positionals: [],
    options: {},
    exits: {
      failed: 'something could not be opened and stays as it is: its key is missing, or it was changed',
      unavailable: 'the ledger is away or full; what was done stays done',
      config: 'the settings are not good',
    },
    async run({ json }, io) {
      const { config } = goodConfig(io.env);
      let told = 0;
      const { done, keys } = await withSession(open, io, async (session) => {
        const keyId = session.keys.keyInUse();
        const who = { atMs: world.now(), actor: world.actor() };
        const detail = JSON.stringify({ keyId });
        const audit = { ...who, action: 'keys.rewrap', subject: 'secrets', detail };
        const parts = {
          ...session,
          progress: ({ texts, payloads }: { texts: number; payloads: number }) => {
            if (texts + payloads < told + progressEvery) return;
            told = texts + payloads;
            io.stderr(`${texts} texts and ${payloads} message keys done\n`);
          },
        };
        const outcome = await rewrap(parts, audit);
        await session.ledger.audit.append({ ...audit, subject: keyId, detail: JSON.stringify(outcome) });
        return { done: outcome, keys: await countUses(session, config) };
      });
      const older = keys.filter(({ line }) => line !== 1);
      const unused = older.filter((key) => key.line !== null && !isUsed(key)).map(({ keyId }) => keyId);
      const stillUsed = older.filter(isUsed).map(({ keyId }) => keyId);
      if (json) printJson(io, { ...done, unused, stillUsed });
      else {
        const { secrets, texts, payloads, unopened } = done;
        io.stdout(`${secrets} secrets, ${texts} texts and ${payloads} message keys are under the key in use now\n`);
        if (unopened > 0) io.stdout(`${unopened} could not be opened and stay as they are\n`);
        for (const keyId of unused) io.stdout(`key ${keyId} is not used any more: "keys drop ${keyId}" takes it out\n`);
        for (const keyId of stillUsed) io.stdout(`key ${keyId} is still used: see "keys list"\n`);
      }
      return done.unopened > 0 ? exitCodes.failed : exitCodes.ok;
    },
  });
}
