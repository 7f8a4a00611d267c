import { runCheck } from '../compose/run-check.ts';
import { type Command, exitCodes } from './command.ts';
import { readConfig } from './find-config.ts';

export const checkCommand: Command = {
  name: 'check',
  aliases: ['doctor'],
  usage: '[CONFIG] [--offline]',
  summary: 'examine configuration, folders, keys and the way to the service',
  about:
    'Examines everything that sending stands on, each with the fix: the configuration, the folders and their locks, room on the\ndisk, the key store and the days its certificates have left; then, for each mailbox, name, proxy, TLS, clock, password and\ninbox. Sends no message.',
  positionals: [0, 1],
  options: { offline: 'leave the service alone' },
  async run({ positionals, options, json }, io) {
    const config = readConfig(positionals[0], io);
    const findings = await runCheck(config, io.env, options['offline'] === undefined);
    if (json) io.stdout(`${JSON.stringify(findings, undefined, 2)}\n`);
    else {
      for (const { about, name, status, finding, fix } of findings) {
        io.stdout(`${status.padEnd(7)} ${about} ${name}: ${finding}${fix === undefined ? '' : `\n        → ${fix}`}\n`);
      }
    }
    return findings.some(({ status }) => status === 'failed') ? exitCodes.no : exitCodes.ok;
  },
};
