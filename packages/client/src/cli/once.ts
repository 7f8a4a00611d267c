import { terminalJson, terminalText } from '@openmesh/protocol';
import { makeLog } from '../compose/make-log.ts';
import { composeClient } from '../compose.ts';
import { untilDone } from '../mailbox/stopping.ts';
import { LogFile } from '../observe/log-file.ts';
import { type Command, CommandRefusal, exitCodes } from './command.ts';
import { readConfig } from './find-config.ts';

/** One round, for schedulers and tests. */
export const onceCommand: Command = {
  name: 'once',
  usage: '[CONFIG]',
  summary: 'send and receive what there is, then end',
  about: 'One round of every mailbox: sends what is ready in OUT, fetches what waits in the inbox, and ends.',
  positionals: [0, 1],
  options: {},
  async run({ positionals, json }, io) {
    const config = readConfig(positionals[0], io);
    using file = new LogFile({
      folder: config.logPath,
      bytesMax: config.logFileMebibytes,
      filesKept: config.logFilesKept,
    });
    using client = composeClient(config, io.env, makeLog(file, undefined));
    const results: object[] = [];
    let failure: string | undefined;
    for (const worker of client.workers) {
      const { mailbox } = worker.health;
      try {
        const done = await worker.drain(untilDone());
        results.push({ mailbox, ...done });
        if (!json) io.stdout(`${mailbox}  sent ${done.sent}  failed ${done.failed}  received ${done.received}\n`);
      } catch (error) {
        // One mailbox that cannot be worked on does not keep the others from their round.
        failure = `${mailbox}: ${(error as Error).message}`;
        results.push({ mailbox, error: (error as Error).message });
        if (!json) io.stderr(`${terminalText(failure)}\n`);
      }
    }
    if (json) io.stdout(`${terminalJson(results, 2)}\n`);
    if (failure !== undefined && !json)
      throw new CommandRefusal(exitCodes.unavailable, 'not every mailbox could be worked on');
    return failure === undefined ? exitCodes.ok : exitCodes.unavailable;
  },
};
