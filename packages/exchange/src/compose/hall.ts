import { createInternalIds, createMessageIds, type MailboxId, type MessageId } from '@openmesh/protocol';
import type { Config } from '../config/config.ts';
import type { PayloadKeys } from '../keys/payload-keys.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { Sealer } from '../mailbox/sealer.ts';
import { createAcknowledge } from '../message/acknowledge.ts';
import { type CollectionNotes, createCollectionNotes } from '../message/collection.ts';
import { createDownload, createInspect } from '../message/download.ts';
import { createDuplicate } from '../message/duplicate.ts';
import { createExpire, type Expire } from '../message/expire.ts';
import { createImportMessage } from '../message/import-message.ts';
import { createListInbox } from '../message/list-inbox.ts';
import { createReceiveBody } from '../message/receive-body.ts';
import { createReceiveChunk } from '../message/receive-chunk.ts';
import { createReportByHand } from '../message/report-by-hand.ts';
import type { Resolution } from '../message/resolve-gp.ts';
import { createRoute, type Route } from '../message/route.ts';
import { createRouteReport } from '../message/route-report.ts';
import { withGpAddresses } from '../message/route-to-gp.ts';
import { createSend } from '../message/send.ts';
import type { LifeSpans, ServiceClock } from '../message/service-clock.ts';
import { createTrack, type Track } from '../message/track.ts';
import type { Bodies } from '../store/bodies.ts';
import type { Ledger } from '../store/ledger.ts';
import { composeGp } from './gp.ts';
import { createRandomHex } from './random-hex.ts';
import type { Services } from './services.ts';

/** Mailboxes of the service itself: nobody sends to them. */
const internalMailboxes: ReadonlySet<MailboxId> = new Set();

export interface HallParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly bodies: Bodies;
  readonly registry: Registry;
  readonly sealer: Sealer;
  readonly payloadKeys: PayloadKeys;
  readonly clock: ServiceClock;
  readonly services: Pick<Services, 'demographics'>;
}

/** The moves of a message's life, each given just what it needs. */
export interface Hall {
  readonly route: Route;
  readonly send: ReturnType<typeof createSend>;
  readonly receiveChunk: ReturnType<typeof createReceiveChunk>;
  readonly listInbox: ReturnType<typeof createListInbox>;
  readonly download: ReturnType<typeof createDownload>;
  readonly inspect: ReturnType<typeof createInspect>;
  readonly acknowledge: ReturnType<typeof createAcknowledge>;
  readonly track: Track;
  readonly expire: Expire;
  readonly reportByHand: ReturnType<typeof createReportByHand>;
  readonly duplicate: ReturnType<typeof createDuplicate>;
  readonly importMessage: ReturnType<typeof createImportMessage>;
  /** Ends the wait of a message for its patient's practice; undefined where nobody can be asked. */
  readonly resolveGp: ((messageId: MessageId) => Promise<Resolution>) | undefined;
  readonly collection: CollectionNotes;
  readonly newMessageId: () => MessageId;
  readonly newInternalId: () => string;
  readonly spans: LifeSpans;
}

export function composeHall(parts: HallParts): Hall {
  const { config, ledger: book, bodies, registry, sealer, payloadKeys, clock } = parts;
  const ledger = book.messages;
  const tail = createRandomHex(3);
  const newMessageId = createMessageIds({
    nowMicros: () => clock.nowMs() * 1000,
    randomHex6: () => tail().toUpperCase(),
  });
  const newInternalId = createInternalIds({
    nowMs: () => clock.nowMs(),
    randomHex8: createRandomHex(4),
  });
  const { inboxExpiryMs, bodyRetentionMs, hideMs, recordRetentionMs } = config.retention;
  const spans: LifeSpans = { inboxExpiryMs, bodyRetentionMs, hideMs, recordRetentionMs };
  const rules = {
    unknownWorkflows: config.sending.unknownWorkflows,
    askedRegistrations: config.sending.askedRegistrations,
    civilRegistration: config.sending.civilRegistration,
    internalMailboxes,
    now: () => clock.nowMs(),
  };
  const plainRoute = createRoute(registry, rules);
  const route = withGpAddresses(plainRoute, registry, { isOn: parts.services.demographics !== undefined });
  const { inlineBytesMax } = config.bodies;
  const receiveBody = createReceiveBody({ bodies, inlineBytesMax, chunkBytesMax: config.sizes.chunkBytesMax });
  const collection = createCollectionNotes(ledger);
  const servesAcknowledged = config.wireRules === 'sandbox';
  const reading = { ledger, sealer, clock };
  const { messageBytesMax } = config.sizes;
  const { inboxExpiryDays } = config.retention;
  const routeReport = createRouteReport({ registry, sealer, newMessageId, nowMs: () => clock.nowMs() });
  const making = { ledger, sealer, clock, newMessageId, spans };
  const receiving = { ledger, registry, receiveBody, payloadKeys, sealer, spans };
  const accepting = { ...receiving, route, clock, newMessageId, routeReport };
  return {
    route,
    send: createSend({ ...accepting, reportOnFailedSend: config.sending.reportOnFailedSend }),
    receiveChunk: createReceiveChunk({
      ...accepting,
      bodies,
      messageBytesMax,
      strict: config.wireRules === 'live',
    }),
    listInbox: createListInbox({ ledger, collection, clock }),
    download: createDownload({ ...reading, nonces: book.nonces, bodies, payloadKeys, collection, servesAcknowledged }),
    inspect: createInspect({ ...reading, servesAcknowledged }),
    acknowledge: createAcknowledge({ ledger, collection, clock }),
    track: createTrack(reading),
    expire: createExpire({
      ...reading,
      routeReport,
      newMessageId,
      spans,
      inboxExpiryDays,
      isActive: (mailbox) => registry.current().mailbox(mailbox)?.state === 'active',
    }),
    reportByHand: createReportByHand({ ...making, routeReport, inboxExpiryDays }),
    duplicate: createDuplicate(making),
    importMessage: createImportMessage({ ...receiving, messageBytesMax }),
    resolveGp: composeGp(parts, { route: plainRoute, routeReport, newMessageId, spans }),
    collection,
    newMessageId,
    newInternalId,
    spans,
  };
}
