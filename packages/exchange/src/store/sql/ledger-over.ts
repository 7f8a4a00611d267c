import type { Ledger } from '../ledger.ts';
import type { Caller, ReadingCommands, WritingCommands } from './commands/table.ts';

/** An engine as the ledger needs it: a place for commands that change and one for commands that read. */
export interface SqlPlaces {
  readonly write: Caller<WritingCommands>;
  readonly read: Caller<ReadingCommands>;
  /** Commands waiting or in flight. */
  readonly waiting: () => number;
  readonly close: () => Promise<void>;
  /** What the engine itself wants done now and then, if anything. */
  readonly upkeep?: (nowMs: number) => Promise<void>;
}

/** Entries of a page that is read in the commit of its nonce. */
const togetherMax = 500;

/** The ledger's ports over any engine that can run the commands. */
export function ledgerOver({ write, read, waiting, close, upkeep }: SqlPlaces): Ledger {
  return {
    messages: {
      accept: (command) => write('accept', command),
      addChunk: (command) => write('addChunk', command),
      acknowledge: (command) => write('acknowledge', command),
      changeState: (command) => write('changeState', command),
      recordCollections: (facts) => write('recordCollections', facts),
      addEvent: (messageId, event) => write('addEvent', messageId, event),
      reset: (mailboxes) => write('reset', mailboxes),
      inboxPage: (query) => read('inboxPage', query),
      async collectPage(query, nonce) {
        // A long page would keep the writer from its writing: it is read elsewhere, before the nonce is committed.
        if (query.filter === null && query.limit <= togetherMax) return write('collectPage', query, nonce);
        const page = await read('inboxPage', query);
        const claim = await write('claim', nonce);
        return claim.kind === 'nonce-used' ? claim : { kind: 'page', ...page };
      },
      collectChunk: (query, nonce) => write('collectChunk', query, nonce),
      waitingCount: (mailbox) => read('waitingCount', mailbox),
      positionOf: (mailbox, messageId) => read('positionOf', mailbox, messageId),
      find: (messageId) => read('find', messageId),
      findWithChunk: (messageId, chunkNumber) => read('findWithChunk', messageId, chunkNumber),
      findByLocalKey: (sender, localKey, nowMs) => read('findByLocalKey', sender, localKey, nowMs),
      timeline: (messageId) => read('timeline', messageId),
      rich: (query) => read('rich', query),
    },
    nonces: { claim: (claim) => write('claim', claim) },
    registry: {
      version: () => read('version'),
      load: () => read('load'),
      changesSince: (version) => read('changesSince', version),
      page: (from) => read('registryPage', from),
      change: (change) => write('change', change),
      recordConnection: (facts, nonce) => write('recordConnection', facts, nonce),
      connections: (query) => read('connections', query),
    },
    routing: { family: (query) => read('family', query), traffic: (query) => read('traffic', query) },
    refusals: {
      record: (refusals) => write('recordRefusals', refusals),
      search: (query) => read('searchRefusals', query),
    },
    audit: { append: (entry) => write('appendAudit', entry), read: (query) => read('readAudit', query) },
    jobs: jobsOver({ write, read, ...(upkeep && { upkeep }) }),
    resolving: {
      resolve: (command) => write('resolveRoute', command),
      waiting: (query) => read('messagesRouting', query),
    },
    directory: {
      put: (batch) => write('putDirectory', batch),
      find: (odsCode) => read('findOrganisation', odsCode),
      alerts: (query) => read('directoryAlerts', query),
      announce: (query) => write('announceAlerts', query),
      state: () => read('directoryState'),
      refreshed: (command) => write('directoryRefreshed', command),
    },
    keys: keysOver({ write, read }),
    alerts: {
      raise: (command) => write('raiseAlerts', command),
      untold: (query) => read('untoldAlerts', query),
      told: (command) => write('alertTold', command),
      forget: (command) => write('forgetAlerts', command),
    },
    waiting,
    close,
  };
}

function jobsOver({ write, read, upkeep }: Pick<SqlPlaces, 'write' | 'read' | 'upkeep'>): Ledger['jobs'] {
  return {
    lease: (command) => write('lease', command),
    deliveriesDue: (query) => read('deliveriesDue', query),
    uploadsStalled: (query) => read('uploadsStalled', query),
    payloadsDue: (query) => read('payloadsDue', query),
    forgetPayloads: (payloadIds, nowMs) => write('forgetPayloads', payloadIds, nowMs),
    hideRecords: (query) => write('hideRecords', query),
    removeRecords: (query) => write('removeRecords', query),
    sweepNonces: (query) => write('sweepNonces', query),
    sweepIdempotencyKeys: (query) => write('sweepIdempotencyKeys', query),
    sweepRefusals: (query) => write('sweepRefusals', query),
    referencedBodies: async (refs) => new Set(await read('referencedBodies', refs)),
    madeAtMs: () => read('madeAtMs'),
    clockOffset: () => read('clockOffset'),
    setClockOffset: (offsetMs) => write('setClockOffset', offsetMs),
    upkeep: (nowMs) => upkeep?.(nowMs) ?? Promise.resolve(),
  };
}

function keysOver({ write, read }: Pick<SqlPlaces, 'write' | 'read'>): Ledger['keys'] {
  return {
    wrappedKeys: (query) => read('wrappedKeys', query),
    replaceWrappedKeys: (changes) => write('replaceWrappedKeys', changes),
    sealedTexts: (query) => read('sealedTexts', query),
    replaceSealedTexts: (changes) => write('replaceSealedTexts', changes),
    uses: () => read('keyUses'),
  };
}
