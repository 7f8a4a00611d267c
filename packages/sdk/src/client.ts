import { type MessageId, parseMessageId } from '@openmesh/protocol';
import { clientError } from './errors/client-errors.ts';
import { type Handshake, handshake } from './handshake.ts';
import { makeSession } from './make-session.ts';
import type { CallOptions, MeshClientOptions } from './options.ts';
import type { PayloadInput } from './payload/payload.ts';
import { type Download, type DownloadOptions, download } from './receive/download.ts';
import { type InboxPage, type InboxQuery, listInbox, walkInbox } from './receive/list-inbox.ts';
import type { OutgoingMessage } from './send/outgoing-message.ts';
import { type SendOptions, send } from './send/send.ts';
import type { SendOutcome } from './send/send-outcome.ts';
import { askJson, type Session } from './session.ts';
import { type Tracking, type TrackingByLocalId, track, trackByLocalId } from './track.ts';

/**
 * One mailbox of a MESH service, the national one or an OpenMESH. Making it opens no connection; close it when it is no
 * longer needed. Every method may be called at any time and side by side; every failure of the service or the network is
 * a `MeshError`. Lost connections, and refusals that pass, are repeated by the client where that is safe.
 */
export class MeshClient implements AsyncDisposable {
  readonly #session: Session;
  readonly #application: string;
  #shaken: { readonly atMs: number; readonly result: Promise<Handshake> } | undefined;

  /** Throws a `MeshError` (`invalid-option`, `client-certificate-unusable`) or a RangeError for options that are no good. */
  constructor(options: MeshClientOptions) {
    this.#session = makeSession(options);
    this.#application = this.#session.userAgent;
  }

  /** The id as the service knows it: upper case. */
  get mailboxId(): string {
    return this.#session.mailbox;
  }

  /** Scheme, host and port of the service. */
  get origin(): string {
    return this.#session.origin;
  }

  /**
   * Validates mailbox, password, shared key and certificate. The service wants one a day at least; sending and listing
   * make one by themselves when the last is older than the limit `handshakeMs`.
   */
  handshake(options: CallOptions = {}): Promise<Handshake> {
    const result = handshake(this.#session, this.#application, options);
    const shaken = { atMs: this.#session.surroundings.nowMs(), result };
    this.#shaken = shaken;
    result.catch(() => {
      if (this.#shaken === shaken) this.#shaken = undefined;
    });
    return result;
  }

  /**
   * Sends one message, in chunks when it is larger than one. Throws when the service refused it: it was not sent. A
   * result of kind `unknown` says that it may have been; the message is never sent twice by itself.
   */
  async send(message: OutgoingMessage, payload: PayloadInput, options: SendOptions = {}): Promise<SendOutcome> {
    const { takesIdempotencyKeys: takesKeys } = await this.#recentHandshake(options);
    return send({ session: this.#session, takesKeys }, message, payload, options);
  }

  /** One page of the inbox, oldest first. */
  async list(query: InboxQuery = {}, options: CallOptions = {}): Promise<InboxPage> {
    await this.#recentHandshake(options);
    return listInbox(this.#session, query, options);
  }

  /** Every waiting message id, oldest first, whatever number of pages that takes. */
  async *inbox(query: Omit<InboxQuery, 'continueFrom'> = {}, options: CallOptions = {}): AsyncGenerator<MessageId> {
    await this.#recentHandshake(options);
    yield* walkInbox(this.#session, query, options);
  }

  /** Asks for a message; resolves when its headers are there. Changes nothing at the service. */
  download(messageId: string, options: DownloadOptions = {}): Promise<Download> {
    return download(this.#session, readId(messageId, 'download'), options);
  }

  /** Tells the service that the message is safe here: it leaves the inbox and cannot be downloaded again. */
  async acknowledge(messageId: string, { signal }: CallOptions = {}): Promise<void> {
    const id = readId(messageId, 'acknowledge');
    const path = `/inbox/${id}/status/acknowledged`;
    await askJson(
      this.#session,
      { isRepeatable: true },
      { operation: 'acknowledge', method: 'PUT', path, accepts: [200], messageId: id, signal },
    );
  }

  /** What became of a message this mailbox sent. */
  track(messageId: string, options: CallOptions = {}): Promise<Tracking> {
    return track(this.#session, readId(messageId, 'track'), options);
  }

  /** The same by the sender's own reference. */
  trackByLocalId(localId: string, options: CallOptions = {}): Promise<TrackingByLocalId> {
    return trackByLocalId(this.#session, localId, options);
  }

  /** Ends the kept connections; calls under way fail. */
  close(): void {
    this.#session.transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #recentHandshake({ signal }: CallOptions): Promise<Handshake> {
    const { surroundings, limits } = this.#session;
    const isRecent = this.#shaken !== undefined && surroundings.nowMs() - this.#shaken.atMs < limits.handshakeMs;
    return isRecent && this.#shaken !== undefined ? this.#shaken.result : this.handshake({ signal });
  }
}

function readId(raw: string, operation: 'download' | 'acknowledge' | 'track'): MessageId {
  const id = parseMessageId(raw);
  if (id === undefined) throw clientError('invalid-option', operation, { detail: 'messageId is no message id' });
  return id;
}
