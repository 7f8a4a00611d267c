import { text } from 'node:stream/consumers';
import { protectForWindows } from '../config/windows-secrets.ts';
import { type Command, CommandRefusal, exitCodes } from './command.ts';

/** A secret for a configuration file on Windows. */
export const protectCommand: Command = {
  name: 'protect',
  usage: '',
  summary: 'on Windows: make a secret that only this machine can read',
  about:
    'Reads a secret from standard input and prints what to write into the configuration instead of it. Windows opens it on\nthis machine only, for every program that runs there: keep the permissions of the file. Elsewhere use systemd credentials\nor ${file:PATH}.',
  positionals: [0, 0],
  options: {},
  async run({ json }, io) {
    if (process.platform !== 'win32')
      throw new CommandRefusal(exitCodes.no, 'this is Windows’ own; use a systemd credential or ${file:PATH} here');
    const secret = (await text(process.stdin)).trim();
    if (secret === '') throw new CommandRefusal(exitCodes.usage, 'there is no secret on standard input');
    const base64 = protectForWindows(secret);
    if (base64 === undefined) throw new CommandRefusal(exitCodes.unavailable, 'Windows would not protect it');
    const written = `\${dpapi:${base64}}`;
    io.stdout(json ? `${JSON.stringify({ written })}\n` : `${written}\n`);
    return exitCodes.ok;
  },
};
