import { invalidValue, type MailboxId, parseMailboxId, resetBody } from '@openmesh/protocol';
import type { FaultScript } from '../../http/scripted-faults.ts';
import { FixtureFault } from '../../mailbox/sandbox-fixtures.ts';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { type Refused, refuse } from '../../message/refused.ts';
import type { Bodies } from '../../store/bodies.ts';
import type { MessageLedger } from '../../store/ledger/messages.ts';
import { type OpenOperation, refuseAs, reply } from '../machines/request.ts';

/** What belongs to a reset besides the ledger. */
export interface SandboxStore {
  /** False for a store that is read-only. */
  readonly resettable: boolean;
  /** Reads the fixtures again, of one mailbox or of all. May throw `FixtureFault`. */
  afterReset(mailbox?: MailboxId): Promise<void>;
}

export interface ResetParts {
  readonly ledger: Pick<MessageLedger, 'reset'>;
  readonly bodies: Pick<Bodies, 'remove'>;
  readonly registry: { current(): RegistrySnapshot };
  readonly clock: { reset(): Promise<void> };
  readonly faults: Pick<FaultScript, 'clear'>;
  readonly store: SandboxStore;
}

/** `DELETE …/admin/reset`: every message goes, the clock and the script of faults too, and the fixtures come back. */
export function resetAll({ ledger, bodies, clock, faults, store }: ResetParts): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    async handle() {
      if (!store.resettable) return refuse('reset-not-supported', 'the store of the sandbox is read-only');
      faults.clear();
      await bodies.remove(await ledger.reset('all'));
      await clock.reset();
      return (await readAgain(store)) ?? reply(resetBody());
    },
  };
}

/** `DELETE …/admin/reset/{mailbox}`: the messages to and from one mailbox go; the clock stays. */
export function resetMailbox({ ledger, bodies, registry, store }: ResetParts): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    async handle({ params }) {
      if (!store.resettable) return refuse('reset-not-supported', 'the store of the sandbox is read-only');
      const mailbox = parseMailboxId(params[0] ?? '');
      if (mailbox === undefined || registry.current().mailbox(mailbox) === undefined) {
        return refuse('mailbox-does-not-exist', 'no mailbox has that id');
      }
      await bodies.remove(await ledger.reset([mailbox]));
      return (await readAgain(store, mailbox)) ?? reply(resetBody(mailbox));
    },
  };
}

/** A fixture that cannot be read is the caller's to mend, and its words name file and place only. */
async function readAgain(store: SandboxStore, mailbox?: MailboxId): Promise<Refused | undefined> {
  try {
    await store.afterReset(mailbox);
    return undefined;
  } catch (error) {
    if (!(error instanceof FixtureFault)) throw error;
    return refuseAs({ kind: 'validation', details: [invalidValue(['body'], error.message)] }, 'a fixture is not good');
  }
}
