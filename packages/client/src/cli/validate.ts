import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fieldOf } from '../control-file/control-file.ts';
import { ControlFileFault, readControlFile } from '../control-file/read-control-file.ts';
import { codeOf } from '../folders/durable.ts';
import { isOrder, judgePair } from '../send/judge-pair.ts';
import { type Command, CommandRefusal, exitCodes } from './command.ts';

export const validateCommand: Command = {
  name: 'validate',
  usage: 'FILE.ctl',
  summary: 'say whether a control file could be sent',
  about:
    'Reads a control file as the client reads those in OUT, and says what is wrong with it. Needs no configuration.',
  positionals: [1, 1],
  options: {},
  run({ positionals: [file = ''], json }, io) {
    const verdict = judge(file);
    io.stdout(
      json ? `${JSON.stringify(verdict)}\n` : `${verdict.isGood ? 'good' : `code ${verdict.code}: ${verdict.text}`}\n`,
    );
    return Promise.resolve(verdict.isGood ? exitCodes.ok : exitCodes.no);
  },
};

function judge(file: string): { isGood: boolean; code?: string; text?: string } {
  try {
    const control = readControlFile(readFileSync(file));
    const mailbox = fieldOf(control, 'From_DTS') ?? '';
    const judged = judgePair(control, basename(file), { mailbox, compressByDefault: true, chunkingByDefault: false });
    return isOrder(judged) ? { isGood: true } : { isGood: false, code: judged.statusCode, text: judged.description };
  } catch (error) {
    if (error instanceof ControlFileFault) return { isGood: false, code: '01', text: error.message };
    throw new CommandRefusal(exitCodes.no, `the file cannot be read (${codeOf(error)})`);
  }
}
