import { join } from 'node:path';
import { FolderFault, findApart } from '../folders/mailbox-tree.ts';
import { baseKey } from '../folders/names.ts';
import { allOf } from '../folders/staged-moves.ts';
import type { OutgoingEntry, OutgoingState } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import type { Stopping } from '../mailbox/stopping.ts';
import type { PairAtHand, PairResult } from './fail-pair.ts';
import { filePairs, finishFilings, reportDelay } from './file-pair.ts';
import { Filings } from './filings.ts';
import { OutFolder, type OutLook, type PairSeen, type WithoutControl } from './out-folder.ts';
import { ReadAhead } from './read-ahead.ts';
import { readControl } from './read-control.ts';
import { sendPair } from './send-pair.ts';
import type { ServiceFault } from './service-fault.ts';
import { Sightings } from './sightings.ts';
import { WithdrawnPairs } from './withdrawn-pairs.ts';

export interface SendTurn {
  readonly sent: number;
  readonly failed: number;
  /** Ready pairs remain: the next turn should follow at once. */
  readonly hasMore: boolean;
  /** Something is not ready yet: look again soon. */
  readonly isSettling: boolean;
  /** The turn ended early because of the service. */
  readonly fault: ServiceFault | undefined;
}

/** States in which a pair still has to be sent. */
const sendable: ReadonlySet<OutgoingState> = new Set(['sending', 'waiting', 'uploading']);
/** States in which its outcome is known, and its files are on their way. */
const decided: ReadonlySet<OutgoingState> = new Set(['accepted', 'refused', 'filing']);
/** Pairs that may wait to be filed while others are sent, and most that are filed together. */
const filingsMax = 16;
/** Pairs that one turn tries to file and cannot. */
const unfiledMax = 16;

/** The sending side of one mailbox: looks at OUT, sends what is ready in the order of time, files what has an outcome. */
export class Sender {
  readonly #parts: MailboxParts;
  readonly #folder: OutFolder;
  /** What cannot be sent as it lies: a limit of minutes is to run out for it. */
  readonly #left: Sightings;
  readonly #withdrawn: WithdrawnPairs;
  readonly #warned = new Set<string>();
  #mustFinish = true;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
    this.#left = new Sightings(parts.journal, parts.mailbox.id, 'left');
    this.#folder = new OutFolder(parts.tree.out, parts.config.processingDelayMs, this.#left.kept);
    this.#withdrawn = new WithdrawnPairs(parts);
  }

  /** Pairs in OUT, sendable or not. */
  count(): Promise<number> {
    return this.#folder.count();
  }

  /**
   * A pair that cannot be filed, as when IN or SENT takes no files, keeps no other from being sent: its outcome is in the
   * journal, and it is filed when that can be. Throws at the end what kept it.
   */
  async turn(stopping: Stopping): Promise<SendTurn> {
    const unfiled: unknown[] = this.#mustFinish ? await this.#finishDecided() : [];
    // Whatever breaks may leave a pair between its outcome and its place.
    this.#mustFinish = true;
    const { filingFailure, ...turn } = await this.#lookAndSend(stopping);
    if (filingFailure !== undefined) unfiled.push(filingFailure.error);
    if (unfiled.length > 0) throw unfiled[0];
    this.#mustFinish = false;
    return turn;
  }

  async #lookAndSend(stopping: Stopping): Promise<SendTurn & { filingFailure: { error: unknown } | undefined }> {
    const look = await this.#folder.look(this.#parts.nowMs());
    this.#warnOfLeftAlone(look);
    const open = this.#parts.journal.open(this.#parts.mailbox.id);
    const ready = this.#matched([...look.ready, ...this.#givenUpWaiting(look)], open);
    if (ready.length > 0) await this.#requireOneVolume();
    await this.#withdrawn.settle(open, look.listed);
    const { left, untried, ...turn } = await this.#sendSome(ready, stopping);
    if (turn.sent > 0) this.#say(turn.sent);
    const stillLeft = untried.map(({ pair }) => pair).filter(({ base }) => this.#left.kept.has(baseKey(base)));
    const waiting = [...look.withoutData, ...look.loneData, ...look.unusable, ...left, ...stillLeft].map(
      ({ base }) => base,
    );
    this.#left.keep(this.#folder.notedOf(waiting));
    return { ...turn, isSettling: look.settling + look.withoutData.length > 0 };
  }

  /** Moves that were begun, and outcomes that were not filed. Answers what kept any of them from it, up to a number. */
  async #finishDecided(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const entry of this.#parts.journal.open(this.#parts.mailbox.id)) {
      // By then it is the folder and not the pair, and asking it again and again takes time from sending.
      if (failures.length >= unfiledMax) break;
      try {
        if (entry.state === 'filing') await finishFilings(this.#parts, [entry]);
        if (entry.state === 'accepted' || entry.state === 'refused') await this.#fileLater(entry);
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }

  async #fileLater(entry: OutgoingEntry): Promise<void> {
    const read = await readControl(join(this.#parts.tree.out, entry.controlName), entry.controlPrint);
    // Another pair may lie under the name by now: nothing of that one is told of this.
    const control = read === 'changed' ? undefined : read;
    // Whether it travelled packed shows in the copy only, and most do.
    const gzip = entry.outcome?.status === 'SUCCESS' && control?.fields.get('Compress')?.toUpperCase() === 'Y';
    await filePairs(this.#parts, [{ entry, control, gzip }]);
  }

  /**
   * Each pair with its open entry. A pair whose entry is held, or whose files have changed since, is not sent as that entry;
   * what lies under the name of one that is decided waits until that is filed.
   */
  #matched(pairs: readonly PairSeen[], open: readonly OutgoingEntry[]): readonly PairAtHand[] {
    const byBase = new Map(open.map((entry) => [baseKey(entry.base), entry]));
    return pairs.flatMap((pair): readonly PairAtHand[] => {
      const entry = byBase.get(baseKey(pair.base));
      if (entry === undefined) return [{ pair, entry: undefined }];
      if (decided.has(entry.state)) return [];
      const isSame = entry.controlPrint === pair.control.print && entry.dataPrint === (pair.data?.print ?? null);
      if (isSame) return sendable.has(entry.state) ? [{ pair, entry }] : [];
      this.#letGo(entry);
      return [{ pair, entry: undefined }];
    });
  }

  /** The files of an entry were replaced before it was sent: what lies there now is another pair. */
  #letGo({ pair, state }: OutgoingEntry): void {
    const { journal, log, mailbox, nowMs } = this.#parts;
    journal.change(pair, { state: 'settled', upload: null, changedMs: nowMs() });
    log({
      level: state === 'waiting' ? 'info' : 'warn',
      event: 'pair-replaced',
      component: 'SendFilesService',
      mailbox: mailbox.id,
      text: `The files of pair ${pair} (${state}) were changed or replaced; they are sent as a new pair`,
      fields: { pair, state },
    });
  }

  /** Before anything is sent, for a volume may be mounted at any time: what cannot be filed would lie in OUT for ever. */
  async #requireOneVolume(): Promise<void> {
    const { tree, mailbox } = this.#parts;
    const apart = await findApart(tree);
    if (apart === undefined) return;
    throw new FolderFault(
      `the folder ${mailbox.folders[apart]} is on another volume than ${mailbox.folders.out}: put IN, OUT, SENT and FAILED on one, for files are moved between them in one step; nothing is sent before that`,
    );
  }

  /** Control files whose data did not come in time. */
  #givenUpWaiting({ withoutData }: OutLook): readonly PairSeen[] {
    return withoutData.filter(({ unchangedMs }) => unchangedMs >= this.#parts.config.pairTimeoutMs);
  }

  /**
   * As many as one turn may send. Those that are left where they lie count for nothing, or as many of them would keep all
   * others from going.
   */
  async #sendSome(pairs: readonly PairAtHand[], { soon, now }: Stopping) {
    const queue = [...pairs];
    let room = this.#parts.config.maxMessages;
    const take = (): PairAtHand | undefined => {
      if (room === 0) return undefined;
      room -= 1;
      return queue.shift();
    };
    const tally = { sent: 0, failed: 0, fault: undefined as ServiceFault | undefined, left: [] as PairSeen[] };
    const ahead = new ReadAhead(this.#parts.tree.out);
    const filings = new Filings(filingsMax, (batch) => filePairs(this.#parts, batch));
    const lane = async (): Promise<void> => {
      while (tally.fault === undefined && !soon.aborted) {
        const atHand = take();
        if (atHand === undefined) return;
        const contents = await ahead.take(atHand.pair);
        if (room > 0 && queue[0] !== undefined) ahead.begin(queue[0].pair);
        const result = await this.#parts.slots.use(soon, () => sendPair(this.#parts, atHand, contents, now));
        if (result.kind === 'left') room += 1;
        if (result.kind === 'sent' || result.kind === 'failed') await filings.add(result.filing);
        await this.#count(result, tally, atHand.pair);
      }
    };
    // What broke in one lane ends the others after the pair each has in hand, which nobody else may take up before that.
    const lanes = Array.from({ length: this.#parts.mailbox.parallelSends }, () =>
      lane().catch((error: unknown) => {
        queue.length = 0;
        throw error;
      }),
    );
    let filingFailure: { readonly error: unknown } | undefined;
    try {
      await allOf(lanes);
    } finally {
      filingFailure = await filings.done();
    }
    return { ...tally, filingFailure, untried: queue, hasMore: queue.length > 0 && tally.fault === undefined };
  }

  async #count(
    result: PairResult,
    tally: { sent: number; failed: number; fault: ServiceFault | undefined; left: PairSeen[] },
    pair: PairSeen,
  ) {
    const { counters, mailbox, nowMs } = this.#parts;
    const labels = { mailbox: mailbox.id };
    switch (result.kind) {
      case 'sent':
        tally.sent += 1;
        counters.sent.inc(labels);
        counters.sentBytes.inc(labels, result.bytes);
        counters.lastSend.set(labels, Math.floor(nowMs() / 1000));
        break;
      case 'failed':
        tally.failed += 1;
        counters.failed.inc({ ...labels, code: result.code });
        break;
      case 'fault':
        tally.fault = result.fault;
        if (result.fault.kind === 'passing') await this.#delayed(pair);
        break;
      case 'left':
        tally.left.push(pair);
        break;
    }
  }

  async #delayed(pair: PairSeen): Promise<void> {
    if (!this.#parts.mailbox.delayReport) return;
    const open = this.#parts.journal.open(this.#parts.mailbox.id);
    const entry = open.find(({ base }) => base === pair.base);
    if (entry === undefined || entry.delayReported) return;
    const control = await readControl(join(this.#parts.tree.out, pair.controlName), pair.control.print);
    if (control === 'changed') return;
    await reportDelay(this.#parts, { entry, control, gzip: false });
  }

  #warnOfLeftAlone({ loneData, unusable }: OutLook): void {
    const say = (files: readonly WithoutControl[], event: string, what: string): void => {
      const late = files.filter(
        ({ name, seenForMs }) => seenForMs >= this.#parts.config.loneDataWarnMs && !this.#warned.has(name),
      );
      if (late.length === 0) return;
      for (const { name } of late) this.#warned.add(name);
      const { log, mailbox } = this.#parts;
      const text = `${late.length} ${what}; "openmesh-client status" names them`;
      const fields = { count: late.length };
      log({ level: 'warn', event, component: 'SendFilesService', mailbox: mailbox.id, text, fields });
    };
    say(loneData, 'data-without-control-file', 'data file(s) in OUT have had no control file for long');
    say(unusable, 'file-not-usable', 'file(s) in OUT are links or folders, or have names that are no UTF-8');
  }

  #say(sent: number): void {
    const { log, mailbox } = this.#parts;
    const text = `Sent ${sent} files for Mailbox:${mailbox.id}`;
    log({
      level: 'info',
      event: 'files-sent',
      component: 'SendFilesService',
      mailbox: mailbox.id,
      text,
      fields: { count: sent },
    });
  }
}
