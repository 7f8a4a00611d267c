/**
 * The names of what callers ask for, as logs, metrics and refusals use them: a closed list, so that no caller can
 * invent a name. `unmatched` is a request for a path or method that does not exist.
 */
export const operations = [
  'handshake',
  'send-message',
  'send-chunk',
  'check-inbox',
  'count-inbox',
  'download-message',
  'download-chunk',
  'head-message',
  'acknowledge',
  'track-outbox',
  'lookup-endpoint',
  'search-workflow',
  'show-workflows',
  'list-workflows',
  'preflight',
  'rich-inbox',
  'rich-outbox',
  'mailbox-details',
  'client-update',
  'health',
  'admin',
  'unmatched',
] as const;

export type Operation = (typeof operations)[number];
