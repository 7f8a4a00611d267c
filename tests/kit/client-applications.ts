import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientFolder, elementOf } from './client-folder.ts';

interface Expected {
  readonly from: string;
  readonly base: string;
  readonly digest: string;
  /** Where the service shall deliver it; undefined for an address nobody has. */
  readonly to: string | undefined;
}

/**
 * The applications beside two folders of the client: they drop pairs into OUT, take what comes into IN at any moment as
 * real ones do, and keep count of everything.
 */
export class Applications {
  readonly #folderOf: (mailbox: string) => ClientFolder;
  readonly #mailboxes: readonly string[];
  readonly #expected = new Map<string, Expected>();
  /** How often each pair's bytes came out, in whose IN. */
  readonly #arrived = new Map<string, string[]>();
  /** Reports in IN by the mailbox and reference they are about. */
  readonly #reports = new Map<string, string[]>();
  readonly #oddities: string[] = [];
  #number = 0;

  constructor(folderOf: (mailbox: string) => ClientFolder, mailboxes: readonly string[]) {
    this.#folderOf = folderOf;
    this.#mailboxes = mailboxes;
    for (const mailbox of mailboxes) mkdirSync(this.#archive(mailbox), { recursive: true });
  }

  get dropped(): number {
    return this.#number;
  }

  drop(from: string, to: string | undefined, bytes: Buffer, fields: Readonly<Record<string, string>> = {}): void {
    this.#number += 1;
    const reference = `REF-${this.#number}`;
    const base = `${from}${String(this.#number).padStart(8, '0')}`;
    // Each differs from all others, whatever its size.
    const body = Buffer.concat([Buffer.from(`${reference}\n`), bytes]);
    this.#expected.set(reference, { from, base, digest: digestOf(body), to });
    const address = to ?? 'NOBODYHASTHIS';
    this.#folderOf(from).drop(from, base, body, { To_DTS: address, LocalId: reference, ...fields });
  }

  /** Takes everything that is in the IN folders, as an application would that is triggered by control files. */
  harvest(): void {
    for (const mailbox of this.#mailboxes) {
      const folder = this.#folderOf(mailbox);
      for (const name of folder.list(mailbox, 'IN')) {
        if (!name.endsWith('.ctl')) continue;
        const control = folder.read(mailbox, 'IN', name);
        const reference = elementOf(control, 'LocalId') ?? '';
        if (elementOf(control, 'MessageType') === 'Report') {
          const what = `${elementOf(control, 'Event')}/${elementOf(control, 'Status')}/${elementOf(control, 'StatusCode')}`;
          push(this.#reports, `${mailbox} ${reference}`, what);
        } else {
          this.#take(mailbox, name, reference);
        }
        renameSync(folder.path(mailbox, 'IN', name), this.#free(mailbox, name));
      }
    }
  }

  /** True when every pair has arrived or failed, every sender has been told, and nothing lies in OUT. */
  get isDone(): boolean {
    const isEmpty = this.#mailboxes.every((mailbox) => this.#folderOf(mailbox).list(mailbox, 'OUT').length === 0);
    return isEmpty && this.violations().length === 0;
  }

  /** Every broken promise as a sentence. */
  violations(): readonly string[] {
    const found = [...this.#oddities];
    for (const [reference, { from, base, to }] of this.#expected) {
      const where = to === undefined ? 'FAILED' : 'SENT';
      const folder = this.#folderOf(from);
      for (const ending of ['ctl', 'dat']) {
        if (!existsSync(folder.path(from, where, `${base}.${ending}`)))
          found.push(`${reference}: no .${ending} in ${where}`);
      }
      const arrivals = this.#arrived.get(reference) ?? [];
      const wanted = to === undefined ? [] : [to];
      if (arrivals.join() !== wanted.join())
        found.push(`${reference}: arrived in [${arrivals.join()}], not in [${wanted.join()}]`);
      const reports = this.#reports.get(`${from} ${reference}`) ?? [];
      const told = to === undefined ? ['SEND/ERROR/12'] : ['COLLECT/SUCCESS/00'];
      if (reports.join() !== told.join())
        found.push(`${reference}: the sender was told [${reports.join()}], not [${told.join()}]`);
    }
    return found;
  }

  #take(mailbox: string, name: string, reference: string): void {
    const folder = this.#folderOf(mailbox);
    const data = name.replace(/\.ctl$/, '.dat');
    if (!existsSync(folder.path(mailbox, 'IN', data))) {
      this.#oddities.push(`${reference}: a control file was in IN without its data`);
      return;
    }
    push(this.#arrived, reference, mailbox);
    if (digestOf(folder.read(mailbox, 'IN', data)) !== this.#expected.get(reference)?.digest) {
      this.#oddities.push(`${reference}: other bytes arrived than were sent`);
    }
    renameSync(folder.path(mailbox, 'IN', data), this.#free(mailbox, data));
  }

  #archive(mailbox: string): string {
    return join(this.#folderOf(mailbox).home, `${mailbox}-archive`);
  }

  /** A name in the archive; the same name a second time is kept beside the first. */
  #free(mailbox: string, name: string): string {
    const path = join(this.#archive(mailbox), name);
    return existsSync(path) ? `${path}.again` : path;
  }
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  lists.set(key, [...(lists.get(key) ?? []), value]);
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
