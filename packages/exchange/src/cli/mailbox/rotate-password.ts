import type { MailboxId } from '@openmesh/protocol';
import { credentialIds } from '../../mailbox/import/merge-rows.ts';
import { credentialContext, type Sealer } from '../../mailbox/sealer.ts';
import type { CredentialRecord, RegistryChange, RegistryRecords } from '../../store/ledger/registry.ts';
import { type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { changeRegistry } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { instantText, printJson } from '../print.ts';
import { readCount, readMailboxId } from '../read-options.ts';
import { choosePassword } from './password.ts';
import { findMailbox } from './set-state.ts';

const hourMs = 3_600_000;
const overlapHoursDefault = 24;
const overlapHoursMax = 30 * 24;

/** The earlier passwords that are still valid, ending with the overlap unless they end before. */
function endEarlier(rows: readonly CredentialRecord[], nowMs: number, endMs: number): readonly CredentialRecord[] {
  return rows
    .filter((row) => row.validToMs === null || (row.validToMs > nowMs && row.validToMs > endMs))
    .map((row) => ({ ...row, validToMs: Math.max(endMs, row.validFromMs) }));
}

function rotation(
  records: RegistryRecords,
  sealer: Sealer,
  { mailboxId, password, endMs }: { readonly mailboxId: MailboxId; readonly password: string; readonly endMs: number },
  world: Surroundings,
): RegistryChange {
  const nowMs = world.now();
  findMailbox(records, mailboxId);
  const own = records.credentials.filter((row) => row.mailboxId === mailboxId);
  const ids = credentialIds(sealer, mailboxId, password);
  const isValid = (row: CredentialRecord) => row.validToMs === null || row.validToMs > nowMs;
  if (own.some((row) => ids.includes(row.credentialId) && isValid(row))) {
    throw new CommandRefusal(exitCodes.badInput, 'this is a password of the mailbox already; give another one');
  }
  const [credentialId] = ids;
  if (credentialId === undefined) throw new Error('a sealer without keys names no credential');
  const sealed = sealer.seal(password, credentialContext(credentialId));
  const fresh = { credentialId, mailboxId, kind: 'password', sealed, validFromMs: nowMs, validToMs: null } as const;
  const earlier = endEarlier(own, nowMs, endMs);
  return {
    credentials: [...earlier, fresh],
    audit: {
      atMs: nowMs,
      actor: world.actor(),
      action: 'mailbox.rotate-password',
      subject: mailboxId,
      detail: JSON.stringify({ credentialId, earlierValidTo: instantText(endMs) }),
    },
  };
}

/** `mailbox rotate-password`: a new password, beside the earlier one for as long as it takes to change it over. */
export function createMailboxRotatePassword(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'mailbox rotate-password',
    summary: 'give a mailbox a new password',
    about: [
      'Makes a new password and prints it once. The earlier ones stay valid during the overlap, so that the mailbox can',
      'change over without a gap. A running server takes it up by itself within seconds.',
    ].join('\n'),
    positionals: ['MAILBOX'],
    options: {
      overlap: {
        value: 'HOURS',
        says: `how long earlier passwords stay valid (default ${overlapHoursDefault}, 0: not)`,
      },
      'password-stdin': { says: 'read the password from standard input instead of making one' },
    },
    exits: {
      failed: 'there is no such mailbox',
      badInput: 'a value is not acceptable, or the mailbox has this password already',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options, json }, io) {
      const mailboxId = readMailboxId(positionals[0] ?? '');
      const hours = readCount('overlap', options.overlap, overlapHoursDefault, 0, overlapHoursMax);
      const { password, generated } = await choosePassword(options['password-stdin'] !== undefined, world);
      const endMs = world.now() + hours * hourMs;
      const wanted = { mailboxId, password, endMs };
      const { version } = await withSession(open, io, (session) =>
        changeRegistry(session, (records) => ({ change: rotation(records, session.sealer, wanted, world) })),
      );
      const earlierValidTo = instantText(endMs);
      if (json) printJson(io, { mailboxId, version, earlierValidTo, ...(generated ? { password } : {}) });
      else {
        if (generated) io.stdout(`password (shown this once): ${password}\n`);
        io.stdout(`earlier passwords of ${mailboxId} are valid until ${earlierValidTo}\n`);
      }
      return exitCodes.ok;
    },
  });
}
