import { existsSync, readFileSync } from 'node:fs';
import { terminalJson, terminalText } from '@openmesh/protocol';
import { lookIntoOut, type NotSendable } from '../compose/look-into-out.ts';
import { journalFileIn } from '../compose.ts';
import type { OutgoingEntry } from '../journal/journal.ts';
import { JournalFault } from '../journal/schema.ts';
import { openJournalToRead } from '../journal/sqlite-journal.ts';
import { type ClientStatus, statusFileIn } from '../observe/status.ts';
import { type Command, exitCodes } from './command.ts';
import { readConfig } from './find-config.ts';

/** A status older than this many of its own periods is of a client that is no longer running. */
const periodsMax = 4;
const openShown = 20;

/** What the running client says of itself, and what its journal holds open. */
export const statusCommand: Command = {
  name: 'status',
  usage: '[CONFIG]',
  summary: 'say how a running client is doing',
  about:
    'Reads the status file, the journal and OUT beside a running client. Names files that are waiting: keep the output to yourself.',
  positionals: [0, 1],
  options: {},
  async run({ positionals, json }, io) {
    const config = readConfig(positionals[0], io);
    const file = statusFileIn(config.workPath);
    const status = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ClientStatus) : undefined;
    const isFresh = status !== undefined && Date.now() - Date.parse(status.writtenAt) < periodsMax * config.statusMs;
    const isRunning = status !== undefined && isFresh && isAlive(status.pid);
    const { open, fault } = readOpen(
      config.workPath,
      config.mailboxes.map(({ id }) => id),
    );
    const looks = config.mailboxes.map(async (mailbox) => ({
      mailbox: mailbox.id,
      ...(await lookIntoOut(mailbox)),
    }));
    const notSendable = await Promise.all(looks);
    const isGood = isRunning && status.isHealthy && fault === undefined && open.every(({ state }) => state !== 'held');
    if (json) io.stdout(`${terminalJson({ isRunning, status, open, journalFault: fault, notSendable }, 2)}\n`);
    else {
      const journal = fault === undefined ? '' : `${fault}\n`;
      io.stdout(`${describe(status, isRunning, open)}${journal}${notSendable.map(describeOut).join('')}`);
    }
    return isGood ? exitCodes.ok : exitCodes.no;
  },
};

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readOpen(
  workPath: string,
  mailboxes: readonly string[],
): { readonly open: readonly OutgoingEntry[]; readonly fault: string | undefined } {
  if (!existsSync(journalFileIn(workPath))) return { open: [], fault: undefined };
  try {
    using journal = openJournalToRead(journalFileIn(workPath));
    return { open: mailboxes.flatMap((mailbox) => journal.open(mailbox)), fault: undefined };
  } catch (error) {
    // What the client says of itself is told all the same.
    if (error instanceof JournalFault) return { open: [], fault: error.message };
    throw error;
  }
}

/** What lies in OUT and cannot be sent as it lies, each kind up to a number. */
function describeOut({ mailbox, loneData, withoutData, unusable }: NotSendable & { readonly mailbox: string }): string {
  const kinds = [
    [loneData, 'has no control file'],
    [withoutData, 'has no data file'],
    [unusable, 'is a link or folder, or its name is no UTF-8'],
  ] as const;
  const lines = kinds.flatMap(([names, what]) => [
    ...names.slice(0, openShown).map((name) => `in OUT of ${mailbox}: ${terminalText(name)} ${what}`),
    ...(names.length > openShown ? [`… and ${names.length - openShown} more of which each ${what}`] : []),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

function describe(status: ClientStatus | undefined, isRunning: boolean, open: readonly OutgoingEntry[]): string {
  const lines: string[] = [];
  if (status === undefined) lines.push('no client has been kept running ("run") with this configuration yet');
  else {
    lines.push(
      isRunning
        ? `running, process ${status.pid}, since ${status.startedAt}`
        : `not running; last seen ${status.writtenAt}`,
    );
    for (const { name, endsAt, daysLeft } of status.certificates)
      lines.push(`certificate ${name}: ${daysLeft} days left, until ${endsAt}`);
    for (const { health, inOut } of status.mailboxes) {
      const { out, in: inbox, folders } = health.parts;
      lines.push(
        `${health.mailbox}: sending ${out.state}, receiving ${inbox.state}, folders ${folders.state}, ${inOut ?? '?'} pairs in OUT`,
      );
      for (const { state, reason } of [out, inbox, folders])
        if (state === 'bad') lines.push(`  ${terminalText(reason ?? '')}`);
    }
  }
  for (const { pair, mailbox, base, state } of open.slice(0, openShown))
    lines.push(`pair ${pair} of ${mailbox}: ${state}, ${terminalText(base)}`);
  if (open.length > openShown) lines.push(`… and ${open.length - openShown} pairs more`);
  return `${lines.join('\n')}\n`;
}
