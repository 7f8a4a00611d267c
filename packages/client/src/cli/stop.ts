import { mkdirSync, writeFileSync } from 'node:fs';
import { signalFileIn } from '../mailbox/signal-file.ts';
import { type Command, exitCodes } from './command.ts';
import { readConfig } from './find-config.ts';

export const stopCommand: Command = {
  name: 'stop',
  usage: '[CONFIG]',
  summary: 'ask a running client to stop, by the signal file',
  about:
    'Writes mexclient.sig into the signal folder, as the scripts of the Java client do. The client ends within about ten seconds.',
  positionals: [0, 1],
  options: {},
  run({ positionals }, io) {
    const { signalPath } = readConfig(positionals[0], io);
    mkdirSync(signalPath, { recursive: true });
    writeFileSync(signalFileIn(signalPath), '1');
    return Promise.resolve(exitCodes.ok);
  },
};
