import { parseOdsCode } from '../../mailbox/directory/ods-code.ts';
import type { DaySpan, FoundOrganisation } from '../../store/ledger/directory.ts';
import type { MailboxRecord } from '../../store/ledger/registry.ts';
import { type OpenForAdmin, withSession } from '../admin-session.ts';
import { type Command, type CommandIo, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { plain, printJson, printTable } from '../print.ts';

function spanText({ from, to }: DaySpan): string {
  return from === null && to === null ? '-' : `${from ?? ''} to ${to ?? ''}`.trim();
}

function printFound({ organisation, links }: FoundOrganisation, mailboxes: readonly MailboxRecord[], io: CommandIo) {
  const { odsCode, name, active, recordClass, primaryRole, roles, legal, operational, address } = organisation;
  const place = [...address.lines, address.town, address.county, address.postcode, address.country];
  const rows: readonly (readonly [string, string])[] = [
    ['code', odsCode],
    ['name', name],
    ['status', active ? 'active' : 'inactive'],
    ['record class', recordClass],
    ['primary role', primaryRole],
    ['roles', roles.map(({ code, active: isOpen }) => (isOpen ? code : `${code} (ended)`)).join(', ')],
    ['legal', spanText(legal)],
    ['operational', spanText(operational)],
    ['address', place.filter((part) => part !== '').join(', ')],
    ['telephone', organisation.telephone],
    ['last change', organisation.lastChange ?? '-'],
    ['mailboxes', mailboxes.map(({ mailboxId, state }) => `${mailboxId} (${state})`).join(', ') || '-'],
  ];
  for (const [member, value] of rows) io.stdout(`${member}: ${plain(value)}\n`);
  if (links.length === 0) return;
  io.stdout('\n');
  const cells = links.map((link) => [
    link.kind,
    link.type,
    link.target,
    spanText(link),
    link.active ? 'active' : 'ended',
  ]);
  printTable(io, ['link', 'type', 'to', 'dates', 'status'], cells);
}

/** `directory show`: one organisation, whom it belongs to and who came after it, and its mailboxes. */
export function createDirectoryShow(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'directory show',
    summary: 'show an organisation, its relations and its mailboxes',
    about: 'Shows what the directory says of an organisation, and which mailboxes are registered under its code.',
    positionals: ['CODE'],
    options: {},
    exits: {
      failed: 'the directory has no such organisation',
      badInput: 'not an organisation code',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ positionals, json }, io) {
      const odsCode = parseOdsCode(positionals[0] ?? '');
      if (odsCode === undefined) {
        throw new CommandRefusal(exitCodes.badInput, 'not an organisation code: 3 to 10 letters and digits');
      }
      return withSession(open, io, async ({ ledger }) => {
        const found = await ledger.directory.find(odsCode);
        if (found === null) {
          const say = `no organisation ${odsCode}: check the code; "directory load" brings the directory up to date`;
          throw new CommandRefusal(exitCodes.failed, say);
        }
        const { mailboxes } = await ledger.registry.load();
        const own = mailboxes.filter((mailbox) => mailbox.odsCode.toUpperCase() === odsCode);
        if (json) {
          const shown = own.map(({ mailboxId, name, state, receivesChunked }) => ({
            mailboxId,
            name,
            state,
            receivesChunked,
          }));
          printJson(io, { ...found, mailboxes: shown });
        } else printFound(found, own, io);
        return exitCodes.ok;
      });
    },
  });
}
