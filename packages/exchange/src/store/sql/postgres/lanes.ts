import { LedgerFault } from '../../ledger.ts';
import { readingCommands, writingCommands } from '../commands/table.ts';
import type { Talk } from '../question.ts';
import { aboutCommand } from './command-keys.ts';
import { type Job, Lane, type LaneOptions } from './lane.ts';
import type { Line } from './line.ts';
import { ReadLane } from './read-lane.ts';

type Table = Readonly<Record<string, (...args: readonly unknown[]) => Talk<unknown>>>;

const writing = writingCommands as unknown as Table;
const readingTable = readingCommands as unknown as Table;
/** One, so that batches are large: with two, a life cost PostgreSQL nearly twice as much. */
const writers = 1;
const readers = 2;

export interface LanesOptions extends Omit<LaneOptions, 'line'> {
  readonly lineFor: (role: string, plansOnce: boolean) => Line;
  /** Commands waiting, in flight included; beyond it the ledger answers 'unavailable'. */
  readonly queueMax: number;
}

/** Reading commands of many questions whose answers must belong together. */
const seesOneState: ReadonlySet<string> = new Set(['load', 'changesSince']);

/**
 * The connections of one node, and which command takes which: those of one mailbox's inbox the same, so that two of them
 * do not wait for each other's commits; those that run by themselves one of their own.
 */
export class Lanes {
  readonly #queueMax: number;
  readonly #lines: readonly Line[];
  readonly #single: Lane;
  readonly #writers: readonly Lane[];
  readonly #readers: readonly ReadLane[];
  #isOpen = true;
  /** Commands that wait for a change of the registry to be made. */
  #held = 0;
  #changing: Promise<void> | undefined;

  constructor({ lineFor, queueMax, ...options }: LanesOptions) {
    const lines: Line[] = [];
    const line = (role: string, plansOnce = false): Line => {
      const made = lineFor(role, plansOnce);
      lines.push(made);
      return made;
    };
    this.#queueMax = queueMax;
    this.#single = new Lane({ ...options, line: line('jobs') });
    this.#writers = Array.from(
      { length: writers },
      (_, n) => new Lane({ ...options, line: line(`writer ${n + 1}`, true) }),
    );
    this.#readers = Array.from({ length: readers }, (_, n) => new ReadLane(line(`reader ${n + 1}`)));
    this.#lines = lines;
  }

  /** Commands waiting or in flight. */
  get waiting(): number {
    return this.#all.reduce((sum, { jobs }) => sum + jobs.waiting, this.#held);
  }

  readonly write = (name: string, ...args: readonly unknown[]): Promise<unknown> => {
    const about = aboutCommand(name, args);
    const start = starter(writing, name, args);
    const { jobs } = about === undefined ? this.#single : this.#homeOf(about.home);
    return this.#ask((resolve, reject) => {
      if (name === 'change') this.#change({ start, about, resolve, reject });
      else if (this.#changing === undefined) jobs.add({ start, about, resolve, reject });
      else void this.#addAfter(this.#changing, jobs, { start, about, resolve, reject });
    });
  };

  readonly read = (name: string, ...args: readonly unknown[]): Promise<unknown> => {
    const { jobs } = this.#readers.reduce((least, each) => (each.jobs.waiting < least.jobs.waiting ? each : least));
    const start = starter(readingTable, name, args);
    return this.#ask((resolve, reject) => jobs.add({ start, atOnce: seesOneState.has(name), resolve, reject }));
  };

  /** Lets what was asked be answered, then closes the connections. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#changing;
    await Promise.all(this.#all.map(({ jobs }) => jobs.settled()));
    await Promise.all(this.#lines.map((line) => line.close()));
  }

  /**
   * A change of the registry takes its turn among the commands of this node: it comes after what was asked before it,
   * and what is asked after it is decided on the new version.
   */
  #change(job: Job): void {
    const before = this.#changing;
    const turn = async (): Promise<void> => {
      this.#held += 1;
      await before;
      await Promise.all(this.#writers.map(({ jobs }) => jobs.settled()));
      this.#held -= 1;
      await new Promise<void>((done) => {
        const resolve = (value: unknown): void => done(job.resolve(value));
        const reject = (fault: LedgerFault): void => done(job.reject(fault));
        this.#single.jobs.add({ ...job, resolve, reject });
      });
      if (this.#changing === changing) this.#changing = undefined;
    };
    const changing = turn();
    this.#changing = changing;
  }

  async #addAfter(change: Promise<void>, jobs: Lane['jobs'], job: Job): Promise<void> {
    this.#held += 1;
    await change;
    this.#held -= 1;
    jobs.add(job);
  }

  get #all(): readonly (Lane | ReadLane)[] {
    return [this.#single, ...this.#writers, ...this.#readers];
  }

  #homeOf(mailbox: string): Lane {
    let sum = 0;
    for (let at = 0; at < mailbox.length; at += 1) sum = (sum * 31 + mailbox.charCodeAt(at)) % 65_521;
    return this.#writers[sum % this.#writers.length] ?? this.#single;
  }

  #ask(add: (resolve: (value: unknown) => void, reject: (fault: LedgerFault) => void) => void): Promise<unknown> {
    if (!this.#isOpen) return Promise.reject(new LedgerFault('unavailable', 'the ledger is closed'));
    if (this.waiting < this.#queueMax) return new Promise(add);
    return Promise.reject(new LedgerFault('unavailable', 'the ledger has as many commands waiting as it may'));
  }
}

function starter(table: Table, name: string, args: readonly unknown[]): () => Talk<unknown> {
  return () => {
    const command = table[name];
    if (command === undefined) throw new Error(`the ledger has no command ${name}`);
    return command(...args);
  };
}
