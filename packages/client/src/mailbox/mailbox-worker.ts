import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, removeOwn } from '../folders/durable.ts';
import type { MailboxTree } from '../folders/mailbox-tree.ts';
import { FolderFault, openMailboxTree } from '../folders/mailbox-tree.ts';
import { receivedBase } from '../folders/names.ts';
import { allOf } from '../folders/staged-moves.ts';
import { JournalFault } from '../journal/schema.ts';
import { Receiver } from '../receive/receiver.ts';
import { markName } from '../receive/staged-files.ts';
import { stagedName } from '../send/file-pair.ts';
import { Sender } from '../send/sender.ts';
import type { ServiceFault } from '../send/service-fault.ts';
import { Alarm } from './alarm.ts';
import { BackOff, spread } from './back-off.ts';
import { type Direction, type Health, HealthBook } from './health.ts';
import { HeldFolders } from './held-folders.ts';
import type { MailboxParts } from './mailbox-parts.ts';
import { noticeFault, pollReport } from './notices.ts';
import { LockedByAnother, lockRoot } from './root-lock.ts';
import type { Stopping } from './stopping.ts';

const settlingLookMs = 1000;

/** One mailbox at work: sending and receiving side by side, neither waiting for the other, nor for another mailbox. */
export class MailboxWorker {
  readonly #parts: Omit<MailboxParts, 'tree'>;
  readonly #sendAlarm = new Alarm();
  readonly #receiveAlarm = new Alarm();
  readonly #health: HealthBook;
  #sender: Sender | undefined;

  constructor(parts: Omit<MailboxParts, 'tree'>) {
    this.#parts = parts;
    this.#health = new HealthBook(parts.mailbox.id);
  }

  get health(): Health {
    return this.#health.now;
  }

  /** Pairs in OUT; undefined while the folder cannot be read. */
  async waiting(): Promise<number | undefined> {
    return await this.#sender?.count().catch(() => undefined);
  }

  /** Works until the signal; what is under way then is finished or abandoned, and either is safe. Throws LockedByAnother. */
  async run(stopping: Stopping): Promise<void> {
    const opened = await this.#open(stopping.soon);
    if (opened === undefined) return;
    using held = opened;
    const parts: MailboxParts = { ...this.#parts, tree: held.tree };
    const watcher = this.#watch(held.tree.out);
    const ending = new AbortController();
    const until: Stopping = { soon: AbortSignal.any([stopping.soon, ending.signal]), now: stopping.now };
    const looped = [this.#sendLoop(parts, held, until), this.#receiveLoop(parts, held, until)].map((loop) =>
      loop.finally(() => ending.abort()),
    );
    try {
      await allOf(looped);
    } finally {
      watcher?.close();
    }
  }

  /** One turn of each direction, until neither has more to do; for `once` and tests. Throws what stands in the way. */
  async drain(stopping: Stopping): Promise<{ sent: number; failed: number; received: number }> {
    const { mailbox, config } = this.#parts;
    const tree = await openMailboxTree(mailbox.root, mailbox.folders, config.createRoots);
    using _lock = lockRoot(tree.temp, this.#parts.nowMs());
    await cleanStaging(tree, this.#parts);
    const parts: MailboxParts = { ...this.#parts, tree };
    // Neither ends before the other: whoever takes the folders next must find nothing under way.
    const sending = drainSender(new Sender(parts), parts, stopping);
    const receiving = drainReceiver(new Receiver(parts), stopping);
    await allOf<unknown>([sending, receiving]).catch((error: unknown) => {
      throw withoutPath(error);
    });
    return { ...(await sending), received: await receiving };
  }

  async #open(signal: AbortSignal): Promise<HeldFolders | undefined> {
    const { mailbox, config, nowMs } = this.#parts;
    const backOff = new BackOff(config.backoffMs, config.pollPeriodMs);
    while (!signal.aborted) {
      try {
        const tree = await openMailboxTree(mailbox.root, mailbox.folders, config.createRoots);
        const held = new HeldFolders(tree, nowMs);
        await cleanStaging(tree, this.#parts).catch((error: unknown) => {
          held[Symbol.dispose]();
          throw error;
        });
        this.#health.good('folders', nowMs());
        return held;
      } catch (error) {
        if (error instanceof LockedByAnother) throw error;
        this.#disturbed('folders', textOf(error));
        await this.#sendAlarm.wait(backOff.fail(), signal);
      }
    }
    return undefined;
  }

  async #sendLoop(parts: MailboxParts, held: HeldFolders, stopping: Stopping): Promise<void> {
    const { config } = parts;
    const { soon: signal } = stopping;
    const sender = new Sender(parts);
    this.#sender = sender;
    const backOff = new BackOff(config.backoffMs, config.pollPeriodMs);
    while (!signal.aborted) {
      const idleMs = config.pickup === 'onPoll' ? config.pollPeriodMs : config.pickupMs;
      const waitMs = await this.#guard('out', backOff, signal, async () => {
        await held.keep();
        const turn = await sender.turn(stopping);
        if (turn.fault !== undefined) return await this.#faulted(parts, 'out', turn.fault, backOff);
        this.#good(parts, 'out', backOff);
        if (turn.hasMore) return 0;
        return turn.isSettling ? Math.min(settlingLookMs, idleMs) : idleMs;
      });
      if (waitMs > 0) await this.#sendAlarm.wait(waitMs, signal);
    }
  }

  async #receiveLoop(parts: MailboxParts, held: HeldFolders, stopping: Stopping): Promise<void> {
    const { config } = parts;
    const { soon: signal } = stopping;
    const receiver = new Receiver(parts);
    const backOff = new BackOff(config.backoffMs, config.pollPeriodMs);
    while (!signal.aborted) {
      const waitMs = await this.#guard('in', backOff, signal, async () => {
        await held.keep();
        const turn = await receiver.turn(stopping);
        if (turn.diskFault !== undefined) throw Object.assign(new Error('disk'), { code: turn.diskFault });
        if (turn.fault !== undefined) return await this.#faulted(parts, 'in', turn.fault, backOff);
        this.#good(parts, 'in', backOff);
        await pollReport(parts);
        return turn.hasMore ? 0 : spread(config.pollPeriodMs);
      });
      if (waitMs > 0) await this.#receiveAlarm.wait(waitMs, signal);
    }
  }

  /**
   * A turn that throws is a defect or a disk that fails; either way the other direction and other mailboxes go on. Throws
   * LockedByAnother.
   */
  async #guard(
    direction: Direction,
    backOff: BackOff,
    signal: AbortSignal,
    turn: () => Promise<number>,
  ): Promise<number> {
    try {
      return await turn();
    } catch (error) {
      if (error instanceof LockedByAnother) throw error;
      if (signal.aborted) return 0;
      this.#disturbed(direction, textOf(error));
      return backOff.fail();
    }
  }

  async #faulted(parts: MailboxParts, direction: Direction, fault: ServiceFault, backOff: BackOff): Promise<number> {
    if (fault.kind === 'stopped') return 0;
    this.#disturbed(direction, `${fault.text}. ${fault.hint}`, fault);
    await noticeFault(parts, direction, fault);
    return backOff.fail(fault.retryAfterMs);
  }

  #good({ nowMs }: MailboxParts, direction: Direction, backOff: BackOff): void {
    backOff.succeed();
    if (this.#health.good(direction, nowMs())) {
      this.#say(
        'info',
        'mailbox-works',
        `Authentication successful for Mailbox:${this.#parts.mailbox.id} (${direction})`,
      );
    }
  }

  #disturbed(direction: Direction | 'folders', text: string, fault?: ServiceFault): void {
    const { counters, mailbox, nowMs } = this.#parts;
    counters.faults.inc({ mailbox: mailbox.id, direction, kind: fault?.kind ?? 'local' });
    // The first time is news; the same again every few minutes is not.
    const isNews = this.#health.bad(direction, nowMs(), text);
    this.#say(
      isNews ? 'error' : 'debug',
      fault?.kind === 'passing' ? 'service-unreachable' : 'mailbox-disturbed',
      text,
      fault,
    );
  }

  #say(level: 'info' | 'error' | 'debug', event: string, text: string, fault?: ServiceFault): void {
    const { log, mailbox } = this.#parts;
    log({
      level,
      event,
      component: 'MailboxProcessor',
      mailbox: mailbox.id,
      text,
      fields: fault === undefined ? {} : { code: fault.code },
    });
  }

  /** Events of the file system are hints: where they do not come, the next look does. */
  #watch(out: string): FSWatcher | undefined {
    if (this.#parts.config.pickup === 'onPoll') return undefined;
    try {
      const watcher = watch(out, { persistent: false }, () => this.#sendAlarm.wake());
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }
}

/** Removes what an earlier life built in TEMP and the journal does not list. */
async function cleanStaging(tree: MailboxTree, parts: Omit<MailboxParts, 'tree'>): Promise<void> {
  const { journal, mailbox } = parts;
  const incoming = journal.unacknowledged(mailbox.id);
  const moves = [...journal.open(mailbox.id), ...incoming].flatMap((entry) => entry.moves ?? []);
  const begun = incoming
    .filter(({ state }) => state === 'fetching')
    .map(({ messageId }) => `${receivedBase(messageId)}.dat`);
  const listed = new Set(moves.flatMap((move) => (move.kind === 'place' ? [move.staged] : [])));
  for (const name of begun) listed.add(stagedName({ tree }, name));
  for (const { state, messageId } of incoming) if (state === 'staged') listed.add(markName({ tree }, messageId));
  for (const name of await readdir(tree.staging)) {
    const isOurs = tree.stagesInTemp || /^\.openmesh-.*\.tmp$/.test(name);
    if (isOurs && !listed.has(name)) await removeOwn(join(tree.staging, name));
  }
}

/** What stood in the way of a turn. The system's own text names files, which may be personal: its code does not. */
function textOf(error: unknown): string {
  if (error instanceof JournalFault || error instanceof FolderFault) return error.message;
  const code = codeOf(error);
  return code === 'unknown'
    ? `a defect: ${(error as Error).stack ?? String(error)}`
    : `a file or folder refused (${code})`;
}

function withoutPath(error: unknown): unknown {
  const code = codeOf(error);
  return /^E[A-Z0-9_]+$/.test(code) ? new Error(`a file or folder refused (${code})`, { cause: error }) : error;
}

async function drainSender(sender: Sender, { config }: MailboxParts, stopping: Stopping) {
  const total = { sent: 0, failed: 0 };
  const alarm = new Alarm();
  for (let quiet = 0; quiet < 2 && !stopping.soon.aborted; ) {
    const turn = await sender.turn(stopping);
    if (turn.fault !== undefined) throw new Error(`${turn.fault.text}. ${turn.fault.hint}`);
    total.sent += turn.sent;
    total.failed += turn.failed;
    quiet = turn.hasMore || turn.sent + turn.failed > 0 ? 0 : quiet + 1;
    if (quiet === 1) await alarm.wait(config.processingDelayMs, stopping.soon);
  }
  return total;
}

async function drainReceiver(receiver: Receiver, stopping: Stopping): Promise<number> {
  let received = 0;
  for (let hasMore = true; hasMore && !stopping.soon.aborted; ) {
    const turn = await receiver.turn(stopping);
    if (turn.fault !== undefined) throw new Error(`${turn.fault.text}. ${turn.fault.hint}`);
    if (turn.diskFault !== undefined) throw new Error(`a file or folder refused (${turn.diskFault})`);
    received += turn.received;
    hasMore = turn.hasMore;
  }
  return received;
}
