import { dirname, join, resolve } from 'node:path';
import { buildServices } from './build-services.ts';
import type { Config, MachinesTls, Retention } from './config.ts';
import type { LedgerPlace } from './ledger-place.ts';
import type { Secret } from './secret.ts';
import type { SettingValues } from './settings.ts';

const secondMs = 1000;
const dayMs = 86_400 * secondMs;

/** The grouped, frozen form of values that were checked already. */
export function buildConfig(
  values: SettingValues,
  sharedKeys: readonly Secret<string>[],
  servicesKey: Secret<string> | undefined,
): Config {
  const certificateSeen = values.OPENMESH_TLS === 'mutual' || values.OPENMESH_TRUSTED_PROXIES !== undefined;
  return deepFreeze<Config>({
    profile: values.OPENMESH_PROFILE,
    wireRules: values.OPENMESH_WIRE_RULES,
    adminRoutes: values.OPENMESH_ADMIN_ROUTES === 'on',
    movableClock: values.OPENMESH_MOVABLE_CLOCK === 'on',
    environment: { name: values.OPENMESH_ENVIRONMENT_NAME, buildLabel: values.OPENMESH_BUILD_LABEL },
    ledger: {
      ...values.OPENMESH_LEDGER,
      queueMax: values.OPENMESH_LEDGER_QUEUE_MAX,
      cacheMebibytes: values.OPENMESH_LEDGER_CACHE_MEBIBYTES,
      unsafeServer: values.OPENMESH_LEDGER_UNSAFE_SERVER,
    },
    bodies: {
      ...values.OPENMESH_BODIES,
      encrypts: values.OPENMESH_BODY_ENCRYPTION === 'on',
      inlineBytesMax: values.OPENMESH_INLINE_BODY_BYTES_MAX,
      blockPoolMebibytes: values.OPENMESH_BLOCK_POOL_MEBIBYTES,
      diskReserveBytes: values.OPENMESH_DISK_RESERVE_BYTES,
    },
    s3: buildS3(values),
    secretKey: {
      file: values.OPENMESH_SECRET_KEY_FILE ?? besideLedger(values.OPENMESH_LEDGER, 'secret.key'),
      createIfMissing: values.OPENMESH_SECRET_KEY_FILE === undefined,
    },
    machines: buildMachines(values),
    tokens: {
      authMode: values.OPENMESH_AUTH_MODE,
      sharedKeys,
      nonceCheck: values.OPENMESH_NONCE_CHECK,
      timestampCheck: values.OPENMESH_TIMESTAMP_CHECK,
      certificateMatch: certificateSeen ? values.OPENMESH_CERTIFICATE_MATCH : 'off',
    },
    sizes: {
      chunkBytesMax: values.OPENMESH_CHUNK_BYTES_MAX,
      chunksMax: values.OPENMESH_CHUNKS_MAX,
      messageBytesMax: values.OPENMESH_MESSAGE_BYTES_MAX,
    },
    throttle: {
      requestsPerSecond: values.OPENMESH_THROTTLE_REQUESTS_PER_SECOND,
      burst: values.OPENMESH_THROTTLE_BURST,
      unauthenticatedPerSecond: values.OPENMESH_UNAUTHENTICATED_PER_SECOND,
      lookupsPerSecond: values.OPENMESH_LOOKUPS_PER_SECOND,
    },
    sending: {
      unknownWorkflows: values.OPENMESH_UNKNOWN_WORKFLOWS,
      askedRegistrations: values.OPENMESH_ASKED_REGISTRATIONS,
      civilRegistration: values.OPENMESH_CIVIL_REGISTRATION === 'on',
      reportOnFailedSend: values.OPENMESH_REPORT_ON_FAILED_SEND === 'on',
    },
    retention: buildRetention(values),
    services: buildServices(values, servicesKey),
    operators: { host: values.OPENMESH_OPERATORS_HOST, port: values.OPENMESH_OPERATORS_PORT },
    alerts: { command: values.OPENMESH_ALERT_COMMAND },
    traces: buildTraces(values),
    log: { level: values.OPENMESH_LOG_LEVEL },
    shutdownMs: values.OPENMESH_SHUTDOWN_SECONDS * secondMs,
  });
}

/** A file of the sandbox's own; with PostgreSQL it must be named, and never comes to this. */
function besideLedger(place: LedgerPlace, name: string): string {
  return place.engine === 'sqlite' ? join(dirname(place.path), name) : resolve(name);
}

/** How any S3 store is reached. */
export function buildS3(values: SettingValues): Config['s3'] {
  return {
    endpoint: values.OPENMESH_S3_ENDPOINT,
    region: values.OPENMESH_S3_REGION,
    pathStyle: values.OPENMESH_S3_PATH_STYLE === 'on',
    encryption: values.OPENMESH_S3_ENCRYPTION,
    kmsKey: values.OPENMESH_S3_KMS_KEY,
    connectionsMax: values.OPENMESH_S3_CONNECTIONS_MAX,
  };
}

function buildMachines(values: SettingValues): Config['machines'] {
  return {
    host: values.OPENMESH_MACHINES_HOST,
    port: values.OPENMESH_MACHINES_PORT,
    tls: buildTls(values),
    trustedProxies: values.OPENMESH_TRUSTED_PROXIES ?? [],
    proxyProtocol: values.OPENMESH_PROXY_PROTOCOL,
    connectionsMax: values.OPENMESH_CONNECTIONS_MAX,
    headerBytesMax: values.OPENMESH_HEADER_BYTES_MAX,
    headersTimeoutMs: values.OPENMESH_HEADERS_TIMEOUT_SECONDS * secondMs,
    requestTimeoutMs: values.OPENMESH_REQUEST_TIMEOUT_SECONDS * secondMs,
    keepAliveMs: values.OPENMESH_KEEP_ALIVE_SECONDS * secondMs,
    drainBytesMax: values.OPENMESH_DRAIN_BYTES_MAX,
  };
}

function buildTraces(values: SettingValues): Config['traces'] {
  const { OPENMESH_TRACES_ENDPOINT: endpoint, OPENMESH_TRACES_CA_FILE: caFile } = values;
  if (endpoint === undefined) return undefined;
  return {
    endpoint,
    caFile,
    share: values.OPENMESH_TRACES_SHARE,
    serviceName: values.OPENMESH_TRACES_SERVICE_NAME,
  };
}

function buildTls(values: SettingValues): MachinesTls {
  const { OPENMESH_TLS: mode, OPENMESH_TLS_CERTIFICATE_FILE: certificateFile, OPENMESH_TLS_KEY_FILE: keyFile } = values;
  if (mode === 'off') return { mode };
  if (certificateFile === undefined || keyFile === undefined) throw new Error(`TLS ${mode} was let through half-set`);
  const server = { certificateFile, keyFile, ticketKeyFile: values.OPENMESH_TLS_TICKET_KEY_FILE };
  if (mode === 'server') return { mode, ...server };
  const caFile = values.OPENMESH_TLS_CA_FILE;
  if (caFile === undefined) throw new Error('mutual TLS was let through without authorities');
  return {
    mode,
    ...server,
    caFile,
    crlFile: values.OPENMESH_TLS_CRL_FILE,
    missingClientCertificate: values.OPENMESH_TLS_MISSING_CLIENT_CERTIFICATE,
  };
}

function buildRetention(values: SettingValues): Retention {
  const uploadAbandonedDays = values.OPENMESH_UPLOAD_ABANDONED_DAYS;
  return {
    inboxExpiryDays: values.OPENMESH_INBOX_EXPIRY_DAYS,
    inboxExpiryMs: values.OPENMESH_INBOX_EXPIRY_DAYS * dayMs,
    bodyRetentionDays: values.OPENMESH_BODY_RETENTION_DAYS,
    bodyRetentionMs: values.OPENMESH_BODY_RETENTION_DAYS * dayMs,
    hideDays: values.OPENMESH_HIDE_DAYS,
    hideMs: values.OPENMESH_HIDE_DAYS * dayMs,
    recordRetentionDays: values.OPENMESH_RECORD_RETENTION_DAYS,
    recordRetentionMs: values.OPENMESH_RECORD_RETENTION_DAYS * dayMs,
    uploadAbandonedDays,
    uploadAbandonedMs: uploadAbandonedDays === 0 ? undefined : uploadAbandonedDays * dayMs,
    refusalRetentionDays: values.OPENMESH_REFUSAL_RETENTION_DAYS,
    refusalRetentionMs: values.OPENMESH_REFUSAL_RETENTION_DAYS * dayMs,
  };
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part);
  }
  return Object.freeze(value);
}
