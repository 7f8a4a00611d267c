import { type MessageId, parseMessageId } from '@openmesh/protocol';
import { clientError } from './errors/client-errors.ts';
import type { OperationName } from './errors/mesh-error.ts';
import { type Handshake, handshake } from './handshake.ts';
import { JoinedHandshake } from './joined-handshake.ts';
import { type Endpoint, lookupEndpoint, searchWorkflow } from './lookup.ts';
import { makeSession } from './make-session.ts';
import type { CallOptions, MeshClientOptions, TlsOptions } from './options.ts';
import type { PayloadInput } from './payload/payload.ts';
import { type Preflight, type PreflightQuestion, preflight } from './preflight.ts';
import { acknowledge } from './receive/acknowledge.ts';
import { describeMessage } from './receive/describe-message.ts';
import { type Download, type DownloadOptions, download } from './receive/download.ts';
import { type DownloadedFile, type DownloadToFileOptions, downloadToFile } from './receive/download-to-file.ts';
import { countInbox, type InboxPage, type InboxQuery, listInbox, walkInbox } from './receive/list-inbox.ts';
import type { MessageMetadata } from './receive/message-metadata.ts';
import { type ReceivedMessage, receive } from './receive/receive.ts';
import type { OutgoingMessage } from './send/outgoing-message.ts';
import { type ResumeOptions, resolveSend, resumeSend } from './send/resume.ts';
import { type SendOptions, send } from './send/send.ts';
import type { SendOutcome, SendResolution, SendUnknown, Sent } from './send/send-outcome.ts';
import type { UploadState } from './send/upload-state.ts';
import type { Session } from './session.ts';
import { type Tracking, type TrackingByLocalId, track, trackByLocalId } from './track.ts';

/**
 * One mailbox of a MESH service, the national one or an OpenMESH. Making it opens no connection; close it when it is no
 * longer needed. Every method may be called at any time and side by side; every failure of the service or the network is
 * a `MeshError`. Lost connections, and refusals that pass, are repeated by the client where that is safe.
 */
export class MeshClient implements AsyncDisposable {
  readonly #session: Session;
  readonly #application: string;
  #shaken: JoinedHandshake | undefined;

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
   * Uses other certificates, authorities or another server name from the next request on, as when a certificate was
   * replaced; requests under way end as they began. Throws `client-certificate-unusable`, and changes nothing, when they
   * are no good.
   */
  renewTls(tls: TlsOptions): void {
    this.#session.renewTls(tls);
  }

  /**
   * Validates mailbox, password, shared key and certificate. The service wants one a day at least; sending and listing
   * make one by themselves when the last is older than the limit `handshakeMs`.
   */
  async handshake(options: CallOptions = {}): Promise<Handshake> {
    const { signal } = options;
    if (signal?.aborted === true) throw clientError('aborted', 'handshake', { cause: signal.reason });
    const shaken = new JoinedHandshake(this.#session.surroundings.nowMs(), (shared) =>
      handshake(this.#session, this.#application, { signal: shared }),
    );
    this.#shaken = shaken;
    shaken.result.catch(() => {
      if (this.#shaken === shaken) this.#shaken = undefined;
    });
    return await shaken.join(signal);
  }

  /**
   * Sends one message, in chunks when it is larger than one. Throws when the service refused it: it was not sent. A
   * result of kind `unknown` says that it may have been; the message is never sent twice by itself.
   */
  async send(message: OutgoingMessage, payload: PayloadInput, options: SendOptions = {}): Promise<SendOutcome> {
    const { takesIdempotencyKeys: takesKeys } = await this.#recentHandshake(options);
    return send({ session: this.#session, takesKeys }, message, payload, options);
  }

  /** Goes on with an upload that was interrupted, from the state that `onState` gave last. */
  async resumeSend(payload: PayloadInput, state: UploadState, options: ResumeOptions = {}): Promise<Sent> {
    const { takesIdempotencyKeys: takesKeys } = await this.#recentHandshake(options);
    return resumeSend({ session: this.#session, takesKeys }, payload, state, options);
  }

  /** Finds out, by its local id, what became of a send whose outcome is unknown. Sends nothing. */
  resolveSend(unknown: SendUnknown, options: CallOptions = {}): Promise<SendResolution> {
    return resolveSend(this.#session, unknown, options);
  }

  /** One page of the inbox, oldest first. */
  async list(query: InboxQuery = {}, options: CallOptions = {}): Promise<InboxPage> {
    await this.#recentHandshake(options);
    return listInbox(this.#session, query, options);
  }

  /** How many messages wait. The specification calls it deprecated; `list` says it too. */
  count(options: CallOptions = {}): Promise<number> {
    return countInbox(this.#session, options);
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

  /** Downloads a message into a file, and goes on with a download that was interrupted. Does not acknowledge. */
  downloadToFile(messageId: string, path: string, options: DownloadToFileOptions = {}): Promise<DownloadedFile> {
    return downloadToFile(this.#session, readId(messageId, 'download'), path, options);
  }

  /**
   * Every waiting message, to be read in a `for await` block, and acknowledged when the block has ended well:
   * not when it threw, nor when it broke off.
   */
  async *receive(
    query: Omit<InboxQuery, 'continueFrom'> = {},
    options: DownloadOptions = {},
  ): AsyncGenerator<ReceivedMessage, void, undefined> {
    await this.#recentHandshake(options);
    yield* receive(this.#session, query, options);
  }

  /** The headers of a message without its content. */
  describe(messageId: string, options: CallOptions = {}): Promise<MessageMetadata> {
    return describeMessage(this.#session, readId(messageId, 'describe'), options);
  }

  /** Tells the service that the message is safe here: it leaves the inbox and cannot be downloaded again. */
  acknowledge(messageId: string, options: CallOptions = {}): Promise<void> {
    return acknowledge(this.#session, readId(messageId, 'acknowledge'), options);
  }

  /** What became of a message this mailbox sent. */
  track(messageId: string, options: CallOptions = {}): Promise<Tracking> {
    return track(this.#session, readId(messageId, 'track'), options);
  }

  /** The same by the sender's own reference. */
  trackByLocalId(localId: string, options: CallOptions = {}): Promise<TrackingByLocalId> {
    return trackByLocalId(this.#session, localId, options);
  }

  /** The mailboxes of an organisation that may receive a workflow. */
  lookupEndpoint(odsCode: string, workflowId: string, options: CallOptions = {}): Promise<readonly Endpoint[]> {
    return lookupEndpoint(this.#session, odsCode, workflowId, options);
  }

  /** Every mailbox that may receive a workflow. */
  searchWorkflow(workflowId: string, options: CallOptions = {}): Promise<readonly Endpoint[]> {
    return searchWorkflow(this.#session, workflowId, options);
  }

  /** Whether a message would be accepted, and why not; sends nothing. Only OpenMESH knows the question. */
  preflight(question: PreflightQuestion, options: CallOptions = {}): Promise<Preflight> {
    return preflight(this.#session, question, options);
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
    return isRecent && this.#shaken !== undefined ? this.#shaken.join(signal) : this.handshake({ signal });
  }
}

function readId(raw: string, operation: OperationName): MessageId {
  const id = parseMessageId(raw);
  if (id === undefined) throw clientError('invalid-option', operation, { detail: 'messageId is no message id' });
  return id;
}
