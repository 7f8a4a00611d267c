import type { FilePlace, S3Place } from './bodies-settings.ts';
import { buildConfig } from './build-config.ts';
import { checkServices, readServiceFiles } from './check-services.ts';
import { checkTogether } from './check-together.ts';
import type { LedgerPlace } from './ledger-place.ts';
import { readSettings } from './read-settings.ts';
import type { Secret } from './secret.ts';
import { readSecretFiles } from './secrets.ts';
import type { DemographicsPlace } from './service-settings.ts';
import type { AddressRange } from './setting.ts';

export type Profile = 'live' | 'sandbox';
export type WireRules = 'live' | 'sandbox';

export type MachinesTls =
  | { readonly mode: 'off' }
  | {
      readonly mode: 'server';
      readonly certificateFile: string;
      readonly keyFile: string;
      readonly ticketKeyFile: string | undefined;
    }
  | {
      readonly mode: 'mutual';
      readonly certificateFile: string;
      readonly keyFile: string;
      readonly ticketKeyFile: string | undefined;
      readonly caFile: string;
      readonly crlFile: string | undefined;
      readonly missingClientCertificate: 'tls-alert' | 'http-400';
    };

/** Everything the exchange may be told, validated as a whole and frozen. Paths are absolute. */
export interface Config {
  readonly profile: Profile;
  readonly wireRules: WireRules;
  readonly adminRoutes: boolean;
  readonly movableClock: boolean;
  readonly environment: { readonly name: string; readonly buildLabel: string };
  readonly ledger: LedgerPlace & {
    readonly queueMax: number;
    readonly cacheMebibytes: number;
    /** What becomes of a database whose settings let it lose what it answered. */
    readonly unsafeServer: 'refuse' | 'warn';
  };
  readonly bodies: (FilePlace | S3Place) & {
    /** Of new payloads. */
    readonly encrypts: boolean;
    readonly inlineBytesMax: number;
    readonly blockPoolMebibytes: number;
    readonly diskReserveBytes: number;
  };
  /** How any S3 store is reached: the one of the bodies, and one that backups go to. */
  readonly s3: {
    /** `http://…` or `https://…`; Amazon's own when undefined. */
    readonly endpoint: string | undefined;
    readonly region: string;
    readonly pathStyle: boolean;
    readonly encryption: 'none' | 'AES256' | 'aws:kms';
    readonly kmsKey: string | undefined;
    readonly connectionsMax: number;
  };
  /** `createIfMissing` in the sandbox profile without a given file; opened by `openSecretKeys`. */
  readonly secretKey: { readonly file: string; readonly createIfMissing: boolean };
  readonly machines: {
    readonly host: string;
    /** 0 takes a free port. */
    readonly port: number;
    readonly tls: MachinesTls;
    readonly trustedProxies: readonly AddressRange[];
    readonly proxyProtocol: 'off' | 'v2';
    readonly connectionsMax: number;
    readonly headerBytesMax: number;
    readonly headersTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly keepAliveMs: number;
    readonly drainBytesMax: number;
  };
  readonly tokens: {
    readonly authMode: 'full' | 'none' | 'canned';
    /** One, two while the key is being changed, or none where the ledger keeps them. */
    readonly sharedKeys: readonly Secret<string>[];
    readonly nonceCheck: 'strict' | 'off';
    readonly timestampCheck: 'on' | 'off';
    readonly certificateMatch: 'off' | 'warn' | 'enforce';
  };
  readonly sizes: {
    readonly chunkBytesMax: number;
    readonly chunksMax: number;
    readonly messageBytesMax: number;
  };
  readonly throttle: {
    /** For one mailbox; 0 turns the limit off. */
    readonly requestsPerSecond: number;
    readonly burst: number;
    /** For one address; 0 turns the limit off. */
    readonly unauthenticatedPerSecond: number;
    /** For one client certificate; 0 turns the limit off. */
    readonly lookupsPerSecond: number;
  };
  readonly sending: {
    readonly unknownWorkflows: 'accept' | 'refuse';
    readonly askedRegistrations: 'restricted' | 'recipients' | 'both';
    readonly civilRegistration: boolean;
    readonly reportOnFailedSend: boolean;
  };
  readonly retention: Retention;
  readonly services: {
    readonly demographics: DemographicsPlace;
    readonly demographicsPerSecond: number;
    readonly endUserOrganisation: string | undefined;
    readonly surnameMatch: 'first-three' | 'full';
    readonly routingHoursMax: number;
    readonly routingMsMax: number;
    /** Undefined: the directory is what was loaded from files. */
    readonly organisationsUrl: string | undefined;
    readonly organisationsRefreshMs: number;
    readonly apiKey: Secret<string> | undefined;
    readonly signing: { readonly tokenUrl: string; readonly keyId: string; readonly keyFile: string } | undefined;
    readonly caFile: string | undefined;
    readonly timeoutMs: number;
  };
  readonly alerts: { readonly command: string | undefined };
  /** Undefined: no traces. `share` is from 0 to 1. */
  readonly traces:
    | {
        readonly endpoint: string;
        readonly caFile: string | undefined;
        readonly share: number;
        readonly serviceName: string;
      }
    | undefined;
  readonly operators: { readonly host: string; readonly port: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
  readonly shutdownMs: number;
}

/** Each span in days, as it is set, and in milliseconds, as it is used. */
export interface Retention {
  readonly inboxExpiryDays: number;
  readonly inboxExpiryMs: number;
  readonly bodyRetentionDays: number;
  readonly bodyRetentionMs: number;
  readonly hideDays: number;
  readonly hideMs: number;
  readonly recordRetentionDays: number;
  readonly recordRetentionMs: number;
  /** 0 means never. */
  readonly uploadAbandonedDays: number;
  /** Undefined means never. */
  readonly uploadAbandonedMs: number | undefined;
  readonly refusalRetentionDays: number;
  readonly refusalRetentionMs: number;
}

/** One thing that is wrong: the setting's name, and the rest of a sentence that begins with it. */
export interface ConfigProblem {
  readonly name: string;
  readonly problem: string;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Permitted, but probably not meant. */
      readonly warnings: readonly ConfigProblem[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads and validates all settings at once, and the secret files they name; creates nothing. Every problem is found,
 * not only the first. No problem repeats a value, since a secret may stand in the wrong place.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): LoadedConfig {
  const { values, given, problems } = readSettings(env);
  if (problems.length > 0) return { ok: false, problems };
  const together = checkTogether(values, given);
  const secrets = readSecretFiles(values);
  const access = readServiceFiles(values);
  const problemsOfServices = [...checkServices(values, given), ...access.problems];
  const allProblems = [...together.problems, ...secrets.problems, ...problemsOfServices];
  if (allProblems.length > 0) return { ok: false, problems: allProblems };
  const config = buildConfig(values, secrets.sharedKeys, access.apiKey);
  return { ok: true, config, warnings: [...together.warnings, ...secrets.warnings] };
}
