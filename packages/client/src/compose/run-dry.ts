import { join } from 'node:path';
import type { CommandIo, ExitCode } from '../cli/command.ts';
import { exitCodes } from '../cli/command.ts';
import type { ClientConfig, MailboxConfig } from '../config/config.ts';
import { isOrder, judgePair } from '../send/judge-pair.ts';
import { OutFolder } from '../send/out-folder.ts';
import { readControl } from '../send/read-control.ts';

export interface DryLine {
  readonly mailbox: string;
  readonly base: string;
  readonly would: 'send' | 'fail' | 'wait';
  readonly code: string | undefined;
  readonly bytes: number | undefined;
}

/** Says of every pair in every OUT what `run` would do with it. Touches nothing. */
export async function runDry(config: ClientConfig, io: CommandIo, json: boolean): Promise<ExitCode> {
  const lines: DryLine[] = [];
  for (const mailbox of config.mailboxes) lines.push(...(await lookAt(config, mailbox)));
  if (json) io.stdout(`${JSON.stringify(lines, undefined, 2)}\n`);
  else
    for (const line of lines)
      io.stdout(
        `${line.mailbox}  ${line.base}  would ${line.would}${line.code === undefined ? '' : ` with code ${line.code}`}\n`,
      );
  if (!json && lines.length === 0) io.stdout('nothing is waiting in OUT\n');
  return exitCodes.ok;
}

async function lookAt(config: ClientConfig, mailbox: MailboxConfig): Promise<readonly DryLine[]> {
  const out = join(mailbox.root, mailbox.folders.out);
  const look = await new OutFolder(out, 0).look(Date.now());
  const lines: DryLine[] = [];
  for (const pair of [...look.ready, ...look.withoutData]) {
    const control = await readControl(join(out, pair.controlName), pair.control.print);
    const line = { mailbox: mailbox.id, base: pair.base, bytes: pair.data?.sizeBytes, code: undefined };
    if (control === undefined || control === 'changed' || pair.dataName === undefined) {
      lines.push({ ...line, would: 'wait' });
      continue;
    }
    const judged = judgePair(control, pair.dataName, { ...config, mailbox: mailbox.id });
    lines.push(isOrder(judged) ? { ...line, would: 'send' } : { ...line, would: 'fail', code: judged.statusCode });
  }
  return lines;
}
