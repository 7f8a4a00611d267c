import { channel } from 'node:diagnostics_channel';
import { parentPort, workerData } from 'node:worker_threads';
import { fileMessages } from '../commands/filing.ts';
import { readingCommands, writingCommands } from '../commands/table.ts';
import type { Talk } from '../question.ts';
import {
  type BatchAnswer,
  type BatchItem,
  type BatchReply,
  classifyEngineError,
  type ThreadSettings,
} from './batch.ts';
import { migrate, openEngine } from './engine.ts';
import { type Envelope, packAnswers, unpackItems } from './envelope.ts';
import { ReplayGuard } from './replay-guard.ts';

// The thread that owns one connection. It takes a batch, runs it as one transaction, answers after the commit: the
// callers of a batch share its flush.

const settings = workerData as ThreadSettings;
const port = parentPort;
if (port === null) throw new Error('the ledger thread was started outside a worker');

const beforeCommit = channel('openmesh:before-commit');
const afterCommit = channel('openmesh:after-commit');

const isWriter = settings.role === 'writer';
const table = (isWriter ? writingCommands : readingCommands) as unknown as Readonly<
  Record<string, (...args: readonly unknown[]) => Talk<unknown>>
>;
const guard = new ReplayGuard();
const engine = openEngine({ ...settings, readOnly: !isWriter, ...(isWriter && { guard }) });
if (isWriter) {
  migrate(engine);
  engine.begin();
  engine.talk(guard.load());
  engine.commit();
}
let broken = false;

function start(item: BatchItem): Talk<unknown> {
  const command = table[item.name];
  if (command === undefined) throw new Error(`the ledger has no command ${item.name}`);
  return command(...item.args);
}

/** `tidies`: what can be done at any time is done with this commit. */
function runTogether(items: readonly BatchItem[], tidies: boolean): BatchAnswer[] {
  engine.begin();
  try {
    const answers = items.map((item) => ({ ok: true as const, value: engine.talk(start(item)) }));
    if (isWriter) {
      if (tidies) engine.talk(fileMessages());
      engine.talk(guard.write());
      beforeCommit.publish(items.length);
    }
    engine.commit();
    guard.keep();
    if (isWriter) afterCommit.publish(items.length);
    return answers;
  } catch (error) {
    guard.drop();
    engine.rollback();
    throw error;
  }
}

function fault(error: unknown): BatchAnswer {
  const kind = classifyEngineError(error);
  if (kind === 'broken') broken = true;
  return { ok: false, kind, message: error instanceof Error ? error.message : String(error) };
}

/** A command that fails must not take its neighbours with it: the batch is repeated one by one. */
function runApart(items: readonly BatchItem[]): BatchAnswer[] {
  return items.map((item) => {
    if (broken) return { ok: false, kind: 'broken', message: 'the ledger stopped after a failed flush' };
    try {
      return runTogether([item], false)[0] ?? fault(new Error('no answer'));
    } catch (error) {
      return fault(error);
    }
  });
}

function runBatch(items: readonly BatchItem[]): BatchAnswer[] {
  if (broken) return items.map(() => ({ ok: false, kind: 'broken', message: 'the ledger has stopped' }));
  try {
    return runTogether(items, true);
  } catch (error) {
    const first = fault(error);
    // Each by itself would wait as long again for whoever holds the ledger.
    const isAway = !first.ok && first.kind === 'unavailable';
    return broken || isAway ? items.map(() => first) : runApart(items);
  }
}

port.on('message', (envelope: Envelope | 'close') => {
  if (envelope === 'close') {
    engine.close();
    port.close();
    return;
  }
  const startedMs = performance.now();
  const answers = packAnswers(runBatch(unpackItems(envelope)));
  const reply: BatchReply = { answers, tookMs: performance.now() - startedMs, broken };
  // A body read from the ledger has memory of its own, which is moved and not copied.
  port.postMessage(
    reply,
    answers.bodies.map((body) => body.buffer as ArrayBuffer),
  );
});
port.postMessage('open');
