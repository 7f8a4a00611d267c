import type { MailboxId } from '@openmesh/protocol';
import { type AdminSession, type OpenForAdmin, withSession } from '../admin-session.ts';
import { type Command, type CommandIo, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { instantText, plain, printJson, printTable } from '../print.ts';
import { readMailboxId } from '../read-options.ts';
import { findMailbox } from './set-state.ts';

const connectionsShown = 5;

async function gather({ ledger }: AdminSession, mailboxId: MailboxId) {
  const records = await ledger.registry.load();
  const mailbox = findMailbox(records, mailboxId);
  const [waiting, connections] = await Promise.all([
    ledger.messages.waitingCount(mailboxId),
    ledger.registry.connections({ mailbox: mailboxId, limit: connectionsShown }),
  ]);
  const passwords = records.credentials
    .filter((row) => row.mailboxId === mailboxId)
    .map(({ credentialId, validFromMs, validToMs }) => ({ credentialId, validFromMs, validToMs }));
  const registrations = records.registrations.filter((row) => row.mailboxId === mailboxId);
  const certificates = records.certificates.filter((row) => row.mailboxId === mailboxId);
  return { mailbox, waiting, passwords, registrations, certificates, connections };
}

/** The start of time is how "without a date" is stored. */
const fromText = (ms: number): string => (ms === 0 ? '-' : instantText(ms));

function printFound(found: Awaited<ReturnType<typeof gather>>, io: CommandIo): void {
  for (const [member, value] of Object.entries(found.mailbox)) io.stdout(`${member}: ${plain(String(value ?? '-'))}\n`);
  io.stdout(`waiting: ${found.waiting}\n`);
  const sections = [
    [
      ['password', 'valid from', 'valid to'],
      found.passwords.map((row) => [row.credentialId, fromText(row.validFromMs), instantText(row.validToMs)]),
    ],
    [
      ['workflow', 'role', 'valid from', 'valid to'],
      found.registrations.map((row) => [
        row.workflowId,
        row.role,
        fromText(row.validFromMs),
        instantText(row.validToMs),
      ]),
    ],
    [
      ['certificate', 'serial', 'revoked'],
      found.certificates.map((row) => [row.fingerprint, row.serial, instantText(row.revokedAtMs)]),
    ],
    [
      ['connected', 'client', 'system'],
      found.connections.map((row) => [instantText(row.atMs), row.clientVersion, `${row.osName} ${row.osVersion}`]),
    ],
  ] as const;
  for (const [header, rows] of sections) {
    if (rows.length === 0) continue;
    io.stdout('\n');
    printTable(io, header, rows);
  }
}

/** `mailbox show`: everything known of one mailbox, except its passwords. */
export function createMailboxShow(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'mailbox show',
    summary: 'show one mailbox: record, passwords (dates only), workflows, certificates, connections',
    about: 'Shows what is known of a mailbox. Its passwords are never shown, only when they are valid.',
    positionals: ['MAILBOX'],
    options: {},
    exits: {
      failed: 'there is no such mailbox',
      badInput: 'not a mailbox id',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ positionals, json }, io) {
      const mailboxId = readMailboxId(positionals[0] ?? '');
      const found = await withSession(open, io, (session) => gather(session, mailboxId));
      if (json) printJson(io, found);
      else printFound(found, io);
      return exitCodes.ok;
    },
  });
}
