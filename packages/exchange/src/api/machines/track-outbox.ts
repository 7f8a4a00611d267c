import { type Profile, parseMessageId, parseTrackingQuery, type TrackingView, trackingBody } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { wireStatus } from '../../message/lifecycle.ts';
import { type Refused, refuse } from '../../message/refused.ts';
import type { Track, Tracked } from '../../message/track.ts';
import { partyOf } from './parties.ts';
import { type ReadingOperation, type Reply, refuseAs, reply } from './request.ts';

interface TrackParts {
  readonly track: Pick<Track, 'byMessageId' | 'byLocalId'>;
  readonly registry: { current(): RegistrySnapshot };
  readonly profile: Profile;
}

/**
 * `GET …/outbox/tracking?messageID=`, and with a local id as the last segment, which answers in
 * the form of version 1 whatever was asked for.
 */
export function trackOutbox({ track, registry, profile }: TrackParts): ReadingOperation {
  const answer = (found: Tracked | Refused, version: 1 | 2): Reply | Refused =>
    found.kind === 'refused' ? found : reply(trackingBody(trackingView(found, registry.current()), version, profile));
  return {
    name: 'track-outbox',
    access: 'token',
    commitsNonce: false,
    async handle({ mailbox, params, query, version }) {
      const [localId] = params;
      if (localId !== undefined) return answer(await track.byLocalId(mailbox, localId), 1);
      const reading = parseTrackingQuery(query);
      if (!reading.ok) return refuseAs(reading.failure, 'the query names no message');
      const messageId = parseMessageId(reading.query.messageId);
      if (messageId === undefined) return refuse('not-found', 'the query holds no message id');
      return answer(await track.byMessageId(mailbox, messageId), version);
    },
  };
}

/** What tracking tells of a message; also the sandbox's message details. */
export function trackingView({ message, texts }: Tracked, snapshot: RegistrySnapshot): TrackingView {
  const addressee = message.addressedTo ?? message.recipient;
  return {
    messageId: message.messageId,
    type: message.messageType,
    workflowId: message.workflowId,
    sender: partyOf(snapshot, message.sender),
    // Where a rule took it is nothing its sender is told.
    recipient: addressee === null ? nobody : partyOf(snapshot, addressee),
    ...texts,
    contentEncoding: message.contentEncoding,
    compressed: message.compressed,
    encrypted: message.encrypted,
    totalChunks: message.totalChunks,
    fileSizeBytes: message.state === 'uploading' ? 0 : message.sizeBytes,
    status: wireStatus(message.state),
    statusAt: message.stateAtMs,
    statusCode: message.statusCode,
    statusEvent: message.statusEvent,
    statusDescription: message.statusDescription,
    uploadedAt: message.createdAtMs,
    expiresAt: message.expiresAtMs ?? undefined,
    acknowledgedAt: message.acknowledgedAtMs ?? undefined,
    linkedMessageId: message.linkedMessageId ?? undefined,
  };
}

const nobody = { mailboxId: '', mailboxName: '', odsCode: '', orgCode: '', orgName: '' };
