import { writeFileSync } from 'node:fs';
import { buildConfig } from '../config/build-config.ts';
import { toMeshclientCfg, toOwnFormat } from '../config/convert.ts';
import { readConfigFile } from '../config/load-config.ts';
import { type Command, exitCodes } from './command.ts';
import { findConfigFile } from './find-config.ts';

/** From either configuration format to the other. */
export const convertCommand: Command = {
  name: 'convert',
  aliases: ['import-config'],
  usage: '[CONFIG] [--out FILE]',
  summary: 'turn a meshclient.cfg into our own format, or back',
  about:
    'Checks the configuration and prints it in the other format. What the file holds, passwords among it, is in the result too:\n--out makes a file that only its owner can read, and never writes over one.',
  positionals: [0, 1],
  options: { out: 'write to this file' },
  values: { out: 'FILE' },
  run({ positionals, options }, io) {
    const raw = readConfigFile(findConfigFile(positionals[0]));
    const { warnings } = buildConfig(raw, io.env);
    for (const { line, setting, problem } of warnings) io.stderr(`line ${line}: ${setting} ${problem}\n`);
    const text = raw.format === 'yaml' ? toMeshclientCfg(raw) : toOwnFormat(raw);
    if (options['out'] === undefined) io.stdout(text);
    else writeFileSync(options['out'], text, { mode: 0o600, flag: 'wx' });
    return Promise.resolve(exitCodes.ok);
  },
};
