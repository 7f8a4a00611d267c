import type { Talk } from '../question.ts';
import * as alerts from './alerts.ts';
import * as states from './change-state.ts';
import * as directory from './directory.ts';
import * as facts from './facts.ts';
import * as jobs from './jobs.ts';
import * as keys from './keys.ts';
import * as reads from './read-messages.ts';
import * as registry from './registry.ts';
import * as changes from './registry-changes.ts';
import * as resets from './reset.ts';
import * as routes from './resolve-route.ts';
import * as routing from './routing.ts';
import * as events from './timeline.ts';
import * as writes from './write-messages.ts';

/** Commands that change records: they run one after the other, many to a commit. */
export const writingCommands = {
  claim: writes.claim,
  collectPage: reads.collectPage,
  collectChunk: reads.collectChunk,
  accept: writes.accept,
  addChunk: writes.addChunk,
  acknowledge: writes.acknowledge,
  changeState: states.changeState,
  recordCollections: writes.recordCollections,
  addEvent: events.appendEvent,
  reset: resets.reset,
  change: registry.change,
  recordConnection: registry.recordConnection,
  recordRefusals: facts.recordRefusals,
  appendAudit: facts.appendAudit,
  lease: jobs.lease,
  forgetPayloads: jobs.forgetPayloads,
  hideRecords: jobs.hideRecords,
  removeRecords: jobs.removeRecords,
  sweepNonces: jobs.sweepNonces,
  sweepIdempotencyKeys: jobs.sweepIdempotencyKeys,
  sweepRefusals: jobs.sweepRefusals,
  setClockOffset: jobs.setClockOffset,
  claimMeta: jobs.claimMeta,
  resolveRoute: routes.resolveRoute,
  putDirectory: directory.putDirectory,
  announceAlerts: directory.announceAlerts,
  directoryRefreshed: directory.directoryRefreshed,
  replaceWrappedKeys: keys.replaceWrappedKeys,
  replaceSealedTexts: keys.replaceSealedTexts,
  raiseAlerts: alerts.raiseAlerts,
  alertTold: alerts.alertTold,
  forgetAlerts: alerts.forgetAlerts,
};

/** Commands that only read: they see every commit that was answered before they were asked. */
export const readingCommands = {
  inboxPage: reads.inboxPage,
  waitingCount: reads.waitingCount,
  positionOf: reads.positionOf,
  find: reads.find,
  findWithChunk: reads.findWithChunk,
  findByLocalKey: reads.findByLocalKey,
  timeline: events.timeline,
  rich: reads.rich,
  family: routing.family,
  traffic: routing.traffic,
  version: registry.version,
  load: registry.load,
  changesSince: changes.changesSince,
  registryPage: changes.registryPage,
  connections: registry.connections,
  searchRefusals: facts.searchRefusals,
  readAudit: facts.readAudit,
  deliveriesDue: jobs.deliveriesDue,
  uploadsStalled: jobs.uploadsStalled,
  payloadsDue: jobs.payloadsDue,
  referencedBodies: jobs.referencedBodies,
  madeAtMs: jobs.madeAtMs,
  clockOffset: jobs.clockOffset,
  messagesRouting: routes.messagesRouting,
  findOrganisation: directory.findOrganisation,
  directoryAlerts: directory.directoryAlerts,
  directoryState: directory.directoryState,
  wrappedKeys: keys.wrappedKeys,
  sealedTexts: keys.sealedTexts,
  keyUses: keys.keyUses,
  untoldAlerts: alerts.untoldAlerts,
};

export type WritingCommands = typeof writingCommands;
export type ReadingCommands = typeof readingCommands;

/** What a command answers with. */
export type AnswerOf<F> = F extends (...args: never[]) => Talk<infer R> ? R : never;

/** A way to have commands run: one call, one whole command, answered after its commit. */
export type Caller<Table> = <K extends keyof Table & string>(
  name: K,
  ...args: Table[K] extends (...args: infer A) => Talk<unknown> ? A : never
) => Promise<AnswerOf<Table[K]>>;
