import { settingsDocument, unknownsDocument } from '../config/settings-document.ts';
import { type Command, exitCodes } from './command.ts';

export const settingsCommand: Command = {
  name: 'settings',
  usage: '[--unknowns]',
  summary: 'list every setting of both configuration formats',
  about: 'Prints the table of settings in Markdown.',
  positionals: [0, 0],
  options: { unknowns: 'only what nobody outside knows of the Java client, and what we do instead' },
  run({ options }, io) {
    io.stdout(options['unknowns'] === undefined ? settingsDocument() : unknownsDocument());
    return Promise.resolve(exitCodes.ok);
  },
};
