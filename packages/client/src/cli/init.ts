import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseMailboxId } from '@openmesh/protocol';
import { serviceUrl } from '../config/kinds.ts';
import { type Command, CommandRefusal, exitCodes } from './command.ts';

export const initCommand: Command = {
  name: 'init',
  usage: 'FOLDER --mailbox ID --url URL',
  summary: 'make a configuration and the folders of one mailbox',
  about:
    'Makes FOLDER/openmesh-client.yaml, which reads the password from the file FOLDER/password (put it there), and the folders\nof the mailbox beside it. Writes over nothing.',
  positionals: [1, 1],
  options: {
    mailbox: 'mailbox id',
    url: 'the service, such as https://localhost:8700',
    authority: 'PEM file of the authority of the service',
  },
  values: { mailbox: 'ID', url: 'URL', authority: 'FILE' },
  run({ positionals: [folder = ''], options, json }, io) {
    const id = parseMailboxId(options['mailbox'] ?? '');
    const url = serviceUrl.parse(options['url'] ?? '', { folder, platform: process.platform });
    if (id === undefined) throw new CommandRefusal(exitCodes.usage, '--mailbox must be a mailbox id');
    if (!url.ok) throw new CommandRefusal(exitCodes.usage, `--url ${url.problem}`);
    for (const name of ['IN', 'OUT', 'SENT', 'FAILED', 'TEMP']) mkdirSync(join(folder, id, name), { recursive: true });
    const authority = options['authority'];
    const file = join(folder, 'openmesh-client.yaml');
    const lines = [
      `url: ${url.value}`,
      ...(authority === undefined ? [] : [`authorityFile: '${resolve(authority).replaceAll("'", "''")}'`]),
      'mailboxes:',
      `  - id: ${id}`,
      "    password: '${file:password}'",
      `    root: ${id}`,
      '',
    ];
    writeFileSync(file, lines.join('\n'), { mode: 0o600, flag: 'wx' });
    io.stdout(
      json
        ? `${JSON.stringify({ file })}\n`
        : `wrote ${file}; now put the password into ${join(folder, 'password')} and run: openmesh-client check ${file}\n`,
    );
    return Promise.resolve(exitCodes.ok);
  },
};
