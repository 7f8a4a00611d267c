import {
  chunkBytesMax,
  chunksMax,
  inboxExpiryDaysDefault,
  messageBytesMaxCeiling,
  messageBytesMaxDefault,
} from '@openmesh/protocol';
import { alerts } from './alert-settings.ts';
import { bodiesSetting, s3Settings } from './bodies-settings.ts';
import { ledgerPlace } from './ledger-place.ts';
import { sendingSettings } from './sending-settings.ts';
import { lookups, services } from './service-settings.ts';
import {
  addressRanges,
  choice,
  file,
  host,
  optionalSetting,
  type Setting,
  setting,
  visibleText,
  wholeNumber,
} from './setting.ts';
import { tokenSettings } from './token-settings.ts';
import { traces } from './trace-settings.ts';

// One table: it drives parsing, docs/config.md and `openmesh-exchange check-config`.

const profile = {
  OPENMESH_PROFILE: setting(choice('live', 'sandbox'), {
    default: 'live',
    help: 'The set of defaults, and what is permitted. A ledger remembers its profile and refuses to be opened by the other.',
  }),
  OPENMESH_WIRE_RULES: setting(choice('live', 'sandbox'), {
    default: { live: 'live', sandbox: 'sandbox' },
    help: 'Whether answers follow the specification or the habits of the Python sandbox; the sandbox profile may run either.',
  }),
  OPENMESH_ADMIN_ROUTES: setting(choice('on', 'off'), {
    default: { live: 'off', sandbox: 'on' },
    help: 'The unauthenticated routes under /messageexchange/admin; refused in the live profile.',
  }),
  OPENMESH_MOVABLE_CLOCK: setting(choice('on', 'off'), {
    default: { live: 'off', sandbox: 'on' },
    help: 'Whether the service clock can be moved forward; refused in the live profile.',
  }),
  OPENMESH_ENVIRONMENT_NAME: setting(visibleText(64), {
    default: 'local',
    help: 'The name of this environment in the health answer.',
  }),
  OPENMESH_BUILD_LABEL: setting(visibleText(64), { default: 'test', help: 'The build label in the health answer.' }),
};

const keeping = {
  OPENMESH_LEDGER: setting(ledgerPlace(), {
    default: 'sqlite:./openmesh-data/ledger.sqlite',
    help: 'Where the records are kept: a file, or a PostgreSQL (15 or later) that several nodes share. The URL is the one of the primary; its password may stand in the file ~/.pgpass instead.',
  }),
  OPENMESH_LEDGER_UNSAFE_SERVER: setting(choice('refuse', 'warn'), {
    default: { live: 'refuse', sandbox: 'warn' },
    help: 'What is done with a PostgreSQL whose settings (fsync, full_page_writes, synchronous_commit, data_sync_retry) let it lose what it answered: not started on, or a line in the log.',
  }),
  ...bodiesSetting,
  OPENMESH_SECRET_KEY_FILE: optionalSetting(file(), {
    help: 'The key (32 bytes, as hex or base64) that encrypts passwords, subjects, file names and patient addresses at rest, and the keys of messages; further lines hold older keys. Required in the live profile and with PostgreSQL, and the same on every node; the sandbox makes one beside its SQLite ledger.',
  }),
  OPENMESH_BODY_ENCRYPTION: setting(choice('on', 'off'), {
    default: { live: 'on', sandbox: 'off' },
    help: 'Whether the bytes of new messages are encrypted at rest, each message under a key of its own; what is encrypted is read either way.',
  }),
  OPENMESH_DISK_RESERVE_BYTES: setting(wholeNumber('bytes', 0, 1_099_511_627_776), {
    default: { live: 268_435_456, sandbox: 67_108_864 },
    help: 'Free space below which sending is refused, so that downloading and acknowledging go on.',
  }),
  OPENMESH_INLINE_BODY_BYTES_MAX: setting(wholeNumber('bytes', 0, 1_048_576), {
    default: 32_768,
    help: 'The largest body kept inside the ledger; a larger one becomes a file.',
  }),
  OPENMESH_LEDGER_QUEUE_MAX: setting(wholeNumber('commands', 1, 1_000_000), {
    default: 20_000,
    help: 'Commands that may wait for the ledger; beyond it the answer is 503.',
  }),
  OPENMESH_LEDGER_CACHE_MEBIBYTES: setting(wholeNumber('MiB', 1, 65_536), {
    default: 16,
    help: 'Memory each of the two threads of an SQLite ledger may use to cache its pages; the system caches the file besides.',
  }),
  OPENMESH_BLOCK_POOL_MEBIBYTES: setting(wholeNumber('MiB', 8, 65_536), {
    default: 96,
    help: 'Memory for blocks of bodies on their way to or from where they are kept; at the limit, uploads and downloads wait.',
  }),
  ...s3Settings,
};

const machines = {
  OPENMESH_MACHINES_HOST: setting(host(), {
    default: { live: '0.0.0.0', sandbox: '127.0.0.1' },
    help: 'The address systems connect to.',
  }),
  OPENMESH_MACHINES_PORT: setting(wholeNumber('', 0, 65_535), {
    default: 8700,
    help: 'The port systems connect to; 0 takes a free one.',
  }),
  OPENMESH_TLS: setting(choice('off', 'server', 'mutual'), {
    default: { live: 'mutual', sandbox: 'server' },
    help: 'mutual asks each system for a certificate, server does not, off is plain HTTP: only in the sandbox profile or on a loopback address.',
  }),
  OPENMESH_TLS_CERTIFICATE_FILE: optionalSetting(file(), {
    help: "The server's certificate and its chain, PEM. Required unless TLS is off.",
  }),
  OPENMESH_TLS_KEY_FILE: optionalSetting(file(), {
    help: "The server certificate's private key, PEM. Required unless TLS is off.",
  }),
  OPENMESH_TLS_CA_FILE: optionalSetting(file(), {
    help: "The authorities that may have issued clients' certificates, PEM. Required with mutual TLS.",
  }),
  OPENMESH_TLS_CRL_FILE: optionalSetting(file(), {
    help: 'Certificates those authorities revoked, PEM; mutual TLS only.',
  }),
  OPENMESH_TLS_MISSING_CLIENT_CERTIFICATE: setting(choice('tls-alert', 'http-400'), {
    default: 'tls-alert',
    help: 'How a caller without an acceptable certificate is refused; mutual TLS only.',
  }),
  OPENMESH_TLS_TICKET_KEY_FILE: optionalSetting(file(), {
    help: 'The key (48 bytes, as hex or base64) for TLS session tickets, where several nodes share it; otherwise each process makes its own.',
  }),
  OPENMESH_TRUSTED_PROXIES: optionalSetting(addressRanges(64), {
    help: "Load balancers whose statements about a caller's address or certificate are believed.",
  }),
  OPENMESH_PROXY_PROTOCOL: setting(choice('off', 'v2'), {
    default: 'off',
    help: 'Whether the trusted proxies put a PROXY protocol header before each connection.',
  }),
  OPENMESH_CONNECTIONS_MAX: setting(wholeNumber('connections', 1, 1_000_000), {
    default: 30_000,
    help: 'Connections open at once; further ones are closed.',
  }),
  OPENMESH_HEADER_BYTES_MAX: setting(wholeNumber('bytes', 16_384, 1_048_576), {
    default: 32_768,
    help: "The size of a request's headers altogether.",
  }),
  OPENMESH_HEADERS_TIMEOUT_SECONDS: setting(wholeNumber('s', 1, 3600), {
    default: 60,
    help: "Time for a request's headers to arrive; below 60 slow callers are lost.",
  }),
  OPENMESH_REQUEST_TIMEOUT_SECONDS: setting(wholeNumber('s', 1, 86_400), {
    default: 900,
    help: 'Time for a whole request to arrive; below 600 a full chunk on a slow line is lost.',
  }),
  OPENMESH_KEEP_ALIVE_SECONDS: setting(wholeNumber('s', 1, 3600), {
    default: 120,
    help: 'How long an idle connection is kept open.',
  }),
  OPENMESH_DRAIN_BYTES_MAX: setting(wholeNumber('bytes', 0, 10_737_418_240), {
    default: 134_217_728,
    help: "How much of a refused request's body is read and dropped, so that the caller sees the answer and not a reset.",
  }),
};

const sizes = {
  OPENMESH_CHUNK_BYTES_MAX: setting(wholeNumber('bytes', 1024, 1_073_741_824), {
    default: chunkBytesMax,
    help: 'The largest single chunk.',
  }),
  OPENMESH_CHUNKS_MAX: setting(wholeNumber('chunks', 1, chunksMax), {
    default: chunksMax,
    help: 'The most chunks of one message.',
  }),
  OPENMESH_MESSAGE_BYTES_MAX: setting(wholeNumber('bytes', 1024, messageBytesMaxCeiling), {
    default: messageBytesMaxDefault,
    help: 'The largest whole message: 50 GB, and at most 100 GB.',
  }),
  OPENMESH_THROTTLE_REQUESTS_PER_SECOND: setting(wholeNumber('requests/s', 0, 1_000_000), {
    default: 200,
    help: 'The steady rate of one mailbox, beyond which the answer is 429; 0 turns the limit off.',
  }),
  OPENMESH_THROTTLE_BURST: setting(wholeNumber('requests', 1, 10_000_000), {
    default: 2000,
    help: 'How many requests a mailbox may make at once above the steady rate.',
  }),
  OPENMESH_UNAUTHENTICATED_PER_SECOND: setting(wholeNumber('requests/s', 0, 1_000_000), {
    default: 50,
    help: 'The steady rate of lookups from one address; 0 turns the limit off.',
  }),
  ...lookups,
};

const life = {
  ...sendingSettings,
  OPENMESH_INBOX_EXPIRY_DAYS: setting(wholeNumber('days', 1, 365), {
    default: inboxExpiryDaysDefault,
    help: 'How long a message waits before it is reported as not collected.',
  }),
  OPENMESH_BODY_RETENTION_DAYS: setting(wholeNumber('days', 1, 3650), {
    default: 30,
    help: 'How long the bytes of a message are kept.',
  }),
  OPENMESH_HIDE_DAYS: setting(wholeNumber('days', 1, 3650), {
    default: 30,
    help: 'When a message can no longer be seen through the API; its subject, file name and local id go too.',
  }),
  OPENMESH_RECORD_RETENTION_DAYS: setting(wholeNumber('days', 1, 3650), {
    default: 90,
    help: 'How long the record and timeline of a message are kept.',
  }),
  OPENMESH_UPLOAD_ABANDONED_DAYS: setting(wholeNumber('days', 0, 365), {
    default: 5,
    help: 'When an upload that stopped half way is given up; 0 means never.',
  }),
  OPENMESH_REFUSAL_RETENTION_DAYS: setting(wholeNumber('days', 1, 3650), {
    default: 365,
    help: 'How long records of refusals are kept.',
  }),
};

const operation = {
  OPENMESH_OPERATORS_HOST: setting(host(), {
    default: '127.0.0.1',
    help: 'The address of metrics, health and readiness; a loopback address.',
  }),
  OPENMESH_OPERATORS_PORT: setting(wholeNumber('', 0, 65_535), {
    default: 8720,
    help: 'The port of metrics, health and readiness; 0 takes a free one.',
  }),
  OPENMESH_LOG_LEVEL: setting(choice('debug', 'info', 'warn', 'error'), {
    default: 'info',
    help: 'The least serious line that is written; debug adds one line for each request that succeeded.',
  }),
  OPENMESH_SHUTDOWN_SECONDS: setting(wholeNumber('s', 0, 3600), {
    default: 30,
    help: 'How long a stop waits for requests in flight.',
  }),
};

export const settings = {
  ...profile,
  ...keeping,
  ...machines,
  ...tokenSettings,
  ...sizes,
  ...life,
  ...services,
  ...operation,
  ...alerts,
  ...traces,
};

export type SettingName = keyof typeof settings;

export type SettingValues = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer Value> ? Value : never;
};

export interface SettingSection {
  readonly title: string;
  readonly names: readonly SettingName[];
}

/** The table's order and headings, for people. */
export const settingSections: readonly SettingSection[] = [
  { title: 'Profile', names: namesOf(profile) },
  { title: 'Where things are kept', names: namesOf(keeping) },
  { title: 'The door for systems', names: namesOf(machines) },
  { title: 'Tokens and certificates', names: namesOf(tokenSettings) },
  { title: 'Sizes and rates', names: namesOf(sizes) },
  { title: 'The life of a message', names: namesOf(life) },
  { title: 'Services that are asked', names: namesOf(services) },
  { title: 'Operation', names: [...namesOf(operation), ...namesOf(alerts), ...namesOf(traces)] },
];

function namesOf<Table extends object>(table: Table): readonly (keyof Table)[] {
  return Object.keys(table) as (keyof Table)[];
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}
