import type { Journal, Sighting } from '../journal/journal.ts';

/**
 * What a mailbox keeps seeing in OUT, or missing there, under names of one kind. It outlives the process, so that limits of
 * minutes run out for a client that is started anew every few minutes too.
 */
export class Sightings {
  readonly #journal: Pick<Journal, 'sightings' | 'keepSightings'>;
  readonly #mailbox: string;
  readonly #prefix: string;
  readonly #kept = new Map<string, Sighting>();

  constructor(journal: Pick<Journal, 'sightings' | 'keepSightings'>, mailbox: string, kind: 'left' | 'missing') {
    this.#journal = journal;
    this.#mailbox = mailbox;
    this.#prefix = `${kind} `;
    for (const [name, sighting] of journal.sightings(mailbox))
      if (name.startsWith(this.#prefix)) this.#kept.set(name.slice(this.#prefix.length), sighting);
  }

  /** By name, without the kind. */
  get kept(): ReadonlyMap<string, Sighting> {
    return this.#kept;
  }

  /** These and no others are kept from now on. */
  keep(sightings: ReadonlyMap<string, Sighting>): void {
    const changes = new Map<string, Sighting | null>();
    for (const name of this.#kept.keys()) if (!sightings.has(name)) changes.set(name, null);
    for (const [name, sighting] of sightings) {
      const before = this.#kept.get(name);
      if (before?.print !== sighting.print || before.sinceMs !== sighting.sinceMs) changes.set(name, sighting);
    }
    const named = [...changes].map(([name, change]) => [this.#prefix + name, change] as const);
    this.#journal.keepSightings(this.#mailbox, new Map(named));
    for (const [name, change] of changes) {
      if (change === null) this.#kept.delete(name);
      else this.#kept.set(name, change);
    }
  }
}
