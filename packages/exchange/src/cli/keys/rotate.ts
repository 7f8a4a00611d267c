import { addSecretKey, promoteSecretKey } from '../../config/key-file.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { printJson } from '../print.ts';
import { changeFile } from './key-uses.ts';

const next = 'then run "keys rewrap", which puts what is kept under older keys under it';

/** `keys rotate`: a new secret key. */
export function createKeysRotate(): Command {
  return defineCommand({
    path: 'keys rotate',
    summary: 'make a new secret key and put it in use',
    about: [
      'Makes a key and puts it first in OPENMESH_SECRET_KEY_FILE, which is replaced as a whole. A running exchange reads the',
      'file again within seconds and keeps what is new under that key; older keys go on opening what was kept before. Back',
      'the file up before anything is kept under the new key, and "keys rewrap" afterwards. Where several nodes have files of',
      'their own: --prepare on one, copy the file to all, then --promote on one, and copy it again.',
    ].join('\n'),
    positionals: [],
    options: {
      prepare: { says: 'put the new key last, where it only opens' },
      promote: { value: 'KEY', says: 'put this key of the file first, and make none' },
    },
    exits: {
      failed: 'the file holds no such key, or as many as it may',
      badInput: '--prepare and --promote exclude each other',
      cannotCreate: 'the file cannot be replaced; it is as it was',
      config: 'the settings are not good',
    },
    run({ options, json }, io) {
      const prepare = options.prepare !== undefined;
      const { promote } = options;
      if (prepare && promote !== undefined)
        return Promise.reject(new CommandRefusal(exitCodes.badInput, '--prepare and --promote exclude each other'));
      const { config } = goodConfig(io.env);
      const keyId = changeFile(() => {
        if (promote === undefined) return addSecretKey(config, prepare ? 'last' : 'first');
        promoteSecretKey(config, promote);
        return promote;
      });
      if (json) printJson(io, { keyId, inUse: !prepare, file: config.secretKey.file });
      else if (prepare)
        io.stdout(`key ${keyId} opens; copy the file to every node, then "keys rotate --promote ${keyId}"\n`);
      else io.stdout(`key ${keyId} is in use: back up ${config.secretKey.file}, ${next}\n`);
      return Promise.resolve(exitCodes.ok);
    },
  });
}
