// Every limit both ends must know. Sizes count bytes, lengths count characters of Latin-1 header text, spans count
// milliseconds. MB is read as MiB, the generous side, because the specification does not say which it means.

const MIB = 1024 * 1024;
const GB = 1_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Largest body of one request: one chunk, or a message sent whole. */
export const chunkBytesMax = 100 * MIB;
/** Most chunks one message may have. */
export const chunksMax = 10_000;
/** Largest message over all its chunks, unless the operator sets another value. */
export const messageBytesMaxDefault = 50 * GB;
/** Largest value an operator may set for a whole message. */
export const messageBytesMaxCeiling = 100 * GB;
/** Size above which every chunk but the last should be; advice to senders, never enforced. */
export const chunkBytesAdvisedMin = 5 * MIB;

export const mailboxIdLengthMax = 100;
export const messageIdLengthMax = 100;
export const nonceLengthMax = 256;
export const nonceCountLengthMax = 20;
export const tokenTimestampLengthMax = 32;
export const tokenHashLengthMax = 128;
export const idempotencyKeyLengthMax = 64;

/** Longest value of each header of a send, by lower-case name. */
export const sendHeaderLengthMax = {
  'mex-to': 100,
  'mex-workflowid': 300,
  'mex-from': 100,
  'mex-chunk-range': 20,
  'mex-subject': 500,
  'mex-localid': 300,
  'mex-filename': 300,
  'mex-partnerid': 500,
  'mex-content-compressed': 20,
  'mex-content-encrypted': 20,
  'mex-content-checksum': 100,
  'mex-content-type': 100,
} as const;

/**
 * Longest `Content-Type` of a send, where it becomes the message's: the recipient gets it back in two headers, and many
 * clients refuse an answer of more than 16 KiB of headers for good.
 */
export const contentTypeLengthMax = 1000;

/** Longest text of a handshake header that is kept; what is longer is cut, since it is only shown to people. */
export const handshakeTextLengthMax = 300;

export const inboxPageDefault = 500;
export const inboxPageMin = 10;
export const inboxPageMax = 5000;
export const richInboxPageDefault = 100;
export const richInboxPageMin = 1;
export const richInboxPageMax = 2000;
/** The rich outbox validates like the inbox list but never returns more than this. */
export const richOutboxPageMax = 100;
export const continueFromLengthMin = 24;
export const continueFromLengthMax = 1000;
export const workflowFilterLengthMin = 2;
export const workflowFilterLengthMax = 255;

/** How far a token's timestamp may lie from the server's clock, either way. */
export const tokenWindowMs = 2 * HOUR_MS;
/** How long after its timestamp a used token must be remembered: the window and a minute of grace. */
export const tokenMemoryMs = tokenWindowMs + MINUTE_MS;
/** Days a delivered message waits for its acknowledgement before it is undeliverable. */
export const inboxExpiryDaysDefault = 5;
/** Days after delivery when the message is gone altogether. */
export const messageExpiryDaysDefault = 30;
/** How long a byte-identical repeat of a final chunk is answered as the first was. */
export const repeatedChunkGraceMs = 10 * MINUTE_MS;
/** How long an idempotency key is remembered. */
export const idempotencyKeyMemoryMs = 30 * DAY_MS;
/** How far back a rich listing looks when no start time is given. */
export const richListingSpanDefaultMs = 30 * DAY_MS;
/** Longest duration that is read from a request. */
export const durationDaysMax = 3650;
