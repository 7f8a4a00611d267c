import { join } from 'node:path';
import { seeFile } from '../folders/file-print.ts';
import { baseKey } from '../folders/names.ts';
import type { OutgoingEntry, OutgoingState, Sighting } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { Sightings } from './sightings.ts';

/** What an operator should know of a pair that is no longer there, by how far it had come. */
const sayings: Readonly<Partial<Record<OutgoingState, (entry: OutgoingEntry) => string>>> = {
  waiting: () => 'before it was sent',
  held: () => 'while it was held, and is not sent again',
  sending: () => 'while nobody could say whether the service has it: only the recipient can',
  uploading: ({ messageId }) => `while it was being uploaded as message ${messageId}, which is delivered to nobody`,
};

/**
 * Closes the entries of pairs whose control file somebody took out of OUT: they can never be sent. A file that is not
 * listed once may be a share that lies; it has to be gone for a while, and when it is asked for by name.
 */
export class WithdrawnPairs {
  readonly #parts: MailboxParts;
  readonly #missing: Sightings;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
    this.#missing = new Sightings(parts.journal, parts.mailbox.id, 'missing');
  }

  /** `listed` holds the base keys of the control files that were seen in OUT. */
  async settle(open: readonly OutgoingEntry[], listed: ReadonlySet<string>): Promise<void> {
    const { nowMs, config } = this.#parts;
    const missing = open.filter(({ state, base }) => sayings[state] !== undefined && !listed.has(baseKey(base)));
    const still = new Map<string, Sighting>();
    for (const entry of missing) {
      const name = String(entry.pair);
      const kept = this.#missing.kept.get(name);
      // A clock that was set back would make it wait until it has caught up.
      const seen = kept !== undefined && kept.sinceMs <= nowMs() ? kept : { print: '', sinceMs: nowMs() };
      if (nowMs() - seen.sinceMs >= config.controlGraceMs && (await this.#isGone(entry))) this.#close(entry);
      else still.set(name, seen);
    }
    this.#missing.keep(still);
  }

  async #isGone({ controlName }: OutgoingEntry): Promise<boolean> {
    return (await seeFile(join(this.#parts.tree.out, controlName))) === undefined;
  }

  #close(entry: OutgoingEntry): void {
    const { journal, log, mailbox, nowMs } = this.#parts;
    const { pair, state, messageId } = entry;
    journal.change(pair, { state: 'settled', upload: null, changedMs: nowMs() });
    log({
      level: state === 'sending' ? 'error' : 'warn',
      event: 'pair-withdrawn',
      component: 'SendFilesService',
      mailbox: mailbox.id,
      text: `The files of pair ${pair} were taken out of OUT ${sayings[state]?.(entry) ?? ''}`,
      fields: { pair, state, messageId: messageId ?? undefined },
    });
  }
}
