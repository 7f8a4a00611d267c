import { runDry } from '../compose/run-dry.ts';
import { type Command, exitCodes } from './command.ts';
import { readConfig } from './find-config.ts';

export const runCommand: Command = {
  name: 'run',
  usage: '[CONFIG] [--dry-run] [--quiet]',
  summary: 'send and receive until told to stop',
  about:
    'Works on every mailbox of the configuration until SIGTERM, SIGINT or the signal file. Writes mesh.log in the form of the\nJava client, and the same as JSON lines to standard output.',
  positionals: [0, 1],
  options: {
    'dry-run': 'say what would be sent, and how; send nothing, move nothing, ask the service nothing',
    quiet: 'nothing to standard output: mesh.log only',
  },
  async run({ positionals, options, json }, io) {
    const config = readConfig(positionals[0], io);
    if (options['dry-run'] !== undefined) return await runDry(config, io, json);
    const { runClient } = await import('../run-client.ts');
    const stdout = options['quiet'] === undefined ? io.log : undefined;
    await runClient({
      config,
      env: io.env,
      stdout,
      ready: () => io.stderr(`ready mailboxes=${config.mailboxes.length}\n`),
    });
    return exitCodes.ok;
  },
};
