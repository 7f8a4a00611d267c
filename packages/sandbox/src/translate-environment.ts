import { join, resolve } from 'node:path';
import type { Arguments } from './read-arguments.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type StoreMode = 'file' | 'memory' | 'canned';

/** Where the sandbox keeps what, as far as it is known before anything is made. */
export interface SandboxSettings {
  readonly storeMode: StoreMode;
  /** The folder of fixtures and, with the file store, of everything: absolute. */
  readonly dataFolder: string;
  /** The folder of `mailboxes.jsonl` and `workflows.jsonl` where the data folder has none. */
  readonly fixturesFolder: string | undefined;
  readonly trueRules: boolean;
  /** The server certificate is made by us, because none is given. */
  readonly makesCertificate: boolean;
  readonly hooksFile: string | undefined;
  readonly webhooks: readonly string[];
  readonly webhooksAnywhere: boolean;
  /** Demographics and organisation data are answered by stand-ins on this machine. */
  readonly standIns: boolean;
}

export interface SettingProblem {
  readonly name: string;
  /** The rest of a sentence that begins with the name; repeats no value. */
  readonly problem: string;
}

const dataFolderDefault = '/tmp/mesh_store';
/** Whoever names a service of their own wants none of ours. */
const serviceNames = ['OPENMESH_DEMOGRAPHICS', 'OPENMESH_ORGANISATIONS'];
const storeModes: readonly StoreMode[] = ['file', 'memory', 'canned'];
const recordDaysMin = 90;
const inboxDaysDefault = 5;
const uploadDaysDefault = 5;
const ownPrefix = 'OPENMESH_SANDBOX_';
const ownNames = [
  'OPENMESH_SANDBOX_FIXTURES',
  'OPENMESH_SANDBOX_HOOKS',
  'OPENMESH_SANDBOX_WEBHOOKS',
  'OPENMESH_SANDBOX_WEBHOOKS_ANYWHERE',
  'OPENMESH_SANDBOX_STAND_INS',
];

/** Variables of the Python sandbox that one setting of the exchange answers to. */
const renamed = {
  ENV: 'OPENMESH_ENVIRONMENT_NAME',
  BUILD_LABEL: 'OPENMESH_BUILD_LABEL',
  AUTH_MODE: 'OPENMESH_AUTH_MODE',
  SHARED_KEY: 'OPENMESH_SHARED_KEY',
  INBOX_EXPIRY_DAYS: 'OPENMESH_INBOX_EXPIRY_DAYS',
  MESSAGE_EXPIRY_DAYS: 'OPENMESH_HIDE_DAYS',
  PORT: 'OPENMESH_MACHINES_PORT',
  SSL_CRTFILE: 'OPENMESH_TLS_CERTIFICATE_FILE',
  SSL_KEYFILE: 'OPENMESH_TLS_KEY_FILE',
} as const;

/** A variable set to nothing counts as not set, as compose files write it. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** As there: what is neither of the looser modes checks everything. */
function authMode(text: string): 'none' | 'canned' | 'full' {
  return text === 'none' || text === 'canned' ? text : 'full';
}

function yesOrNo(text: string): boolean | undefined {
  if (/^(yes|y|true|on|1)$/i.test(text)) return true;
  return /^(no|n|false|off|0)$/i.test(text) ? false : undefined;
}

/** Reads what concerns the sandbox itself; every problem is named. */
export function readSandboxSettings(
  env: Environment,
  args: Arguments,
): { readonly settings: SandboxSettings; readonly problems: readonly SettingProblem[] } {
  const problems: SettingProblem[] = [];
  const note = (name: string, problem: string): void => void problems.push({ name, problem });
  const mode = args.memory ? 'memory' : (given(env, 'STORE_MODE')?.toLowerCase() ?? 'file');
  const storeMode = storeModes.find((candidate) => candidate === mode);
  if (storeMode === undefined) note('STORE_MODE', 'must be file, memory or canned');
  const ssl = given(env, 'SSL');
  if (ssl !== undefined && yesOrNo(ssl) === undefined) note('SSL', 'must be yes or no');
  if ((given(env, 'SSL_CRTFILE') === undefined) !== (given(env, 'SSL_KEYFILE') === undefined)) {
    note('SSL_CRTFILE', 'and SSL_KEYFILE go together: give both or neither');
  }
  const anywhere = given(env, 'OPENMESH_SANDBOX_WEBHOOKS_ANYWHERE');
  if (anywhere !== undefined && yesOrNo(anywhere) === undefined) {
    note('OPENMESH_SANDBOX_WEBHOOKS_ANYWHERE', 'must be yes or no');
  }
  const standIns = given(env, 'OPENMESH_SANDBOX_STAND_INS') ?? 'yes';
  if (yesOrNo(standIns) === undefined) note('OPENMESH_SANDBOX_STAND_INS', 'must be yes or no');
  for (const name of Object.keys(env)) {
    if (name.startsWith(ownPrefix) && !ownNames.includes(name)) note(name, 'is not a setting of the sandbox');
  }
  if (given(env, 'OPENMESH_PROFILE') === 'live') {
    note('OPENMESH_PROFILE', '=live is not for the sandbox: run "openmesh-exchange serve"');
  }
  const hooks = given(env, 'OPENMESH_SANDBOX_HOOKS');
  const fixtures = given(env, 'OPENMESH_SANDBOX_FIXTURES');
  const certificateGiven = given(env, 'SSL_CRTFILE') ?? given(env, 'OPENMESH_TLS_CERTIFICATE_FILE');
  const settings: SandboxSettings = {
    storeMode: storeMode ?? 'file',
    dataFolder: resolve(given(env, 'MAILBOXES_DATA_DIR') ?? given(env, 'FILE_STORE_DIR') ?? dataFolderDefault),
    fixturesFolder: fixtures === undefined ? undefined : resolve(fixtures),
    trueRules: args.trueRules,
    makesCertificate: args.trueRules || (tlsMode(env, args) !== 'off' && certificateGiven === undefined),
    hooksFile: hooks === undefined ? undefined : resolve(hooks),
    webhooks: (given(env, 'OPENMESH_SANDBOX_WEBHOOKS') ?? '').split(/[\s,]+/).filter((address) => address !== ''),
    webhooksAnywhere: yesOrNo(anywhere ?? 'no') === true,
    standIns: yesOrNo(standIns) === true && serviceNames.every((name) => given(env, name) === undefined),
  };
  return { settings, problems };
}

function tlsMode(env: Environment, args: Arguments): string {
  if (args.trueRules) return 'mutual';
  return given(env, 'OPENMESH_TLS') ?? (yesOrNo(given(env, 'SSL') ?? 'yes') === false ? 'off' : 'server');
}

/** Settings for the exchange, and the variable each came from where that has another name. */
export interface TranslatedSettings {
  readonly values: Readonly<Record<string, string>>;
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * What the exchange is told: the sandbox's defaults, then the Python sandbox's variables, then `OPENMESH_*` as they are,
 * then `--true` and `--port`. `home` is the folder of ledger, bodies, keys and certificates.
 */
export function translateEnvironment(
  env: Environment,
  args: Arguments,
  {
    home,
    makesCertificate,
    standIns = {},
  }: {
    readonly home: string;
    readonly makesCertificate: boolean;
    /** Settings of services that run beside the exchange. */
    readonly standIns?: Readonly<Record<string, string>>;
  },
): TranslatedSettings {
  const values: Record<string, string> = {
    OPENMESH_PROFILE: 'sandbox',
    OPENMESH_SHARED_KEY: 'TestKey',
    OPENMESH_MACHINES_PORT: '8700',
    OPENMESH_LEDGER: `sqlite:${join(home, 'ledger.sqlite')}`,
    OPENMESH_BODIES: `file:${join(home, 'bodies')}`,
    // The Python sandbox limits nobody, and test suites are fast.
    OPENMESH_THROTTLE_REQUESTS_PER_SECOND: '0',
    OPENMESH_UNAUTHENTICATED_PER_SECOND: '0',
    OPENMESH_LOOKUPS_PER_SECOND: '0',
    ...standIns,
  };
  const origins: Record<string, string> = {};
  const put = (name: string, value: string, origin: string): void => {
    values[name] = value;
    origins[name] = origin;
  };
  for (const [origin, name] of Object.entries(renamed)) {
    const value = given(env, origin);
    if (value !== undefined) put(name, origin === 'AUTH_MODE' ? authMode(value) : value, origin);
  }
  const hideDays = given(env, 'MESSAGE_EXPIRY_DAYS');
  if (hideDays !== undefined) {
    put('OPENMESH_BODY_RETENTION_DAYS', hideDays, 'MESSAGE_EXPIRY_DAYS');
    if (Number(hideDays) > recordDaysMin) put('OPENMESH_RECORD_RETENTION_DAYS', hideDays, 'MESSAGE_EXPIRY_DAYS');
    // Nothing lies in an inbox, or waits for its chunks, longer than it is kept.
    const inboxDays = given(env, 'INBOX_EXPIRY_DAYS') ?? String(inboxDaysDefault);
    if (Number(inboxDays) > Number(hideDays)) put('OPENMESH_INBOX_EXPIRY_DAYS', hideDays, 'MESSAGE_EXPIRY_DAYS');
    if (uploadDaysDefault > Number(hideDays)) put('OPENMESH_UPLOAD_ABANDONED_DAYS', hideDays, 'MESSAGE_EXPIRY_DAYS');
  }
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('OPENMESH_') || name.startsWith(ownPrefix) || value === undefined) continue;
    values[name] = value;
    delete origins[name];
  }
  if (env['OPENMESH_SHARED_KEY_FILE'] !== undefined && env['OPENMESH_SHARED_KEY'] === undefined) {
    delete values['OPENMESH_SHARED_KEY'];
  }
  if (args.port !== undefined) put('OPENMESH_MACHINES_PORT', args.port, '--port');
  if (args.trueRules) Object.assign(values, trueRules);
  putTls(values, { mode: tlsMode(env, args), folder: join(home, 'tls'), makesCertificate });
  // Two sandboxes side by side differ in their port; neither shall have to name a second one.
  values['OPENMESH_OPERATORS_PORT'] ??= values['OPENMESH_MACHINES_PORT'] === '8700' ? '8720' : '0';
  return { values, origins };
}

/** The true MESH: nothing of it may be weakened by a variable that is still set from another day. */
const trueRules = {
  OPENMESH_WIRE_RULES: 'live',
  OPENMESH_AUTH_MODE: 'full',
  OPENMESH_NONCE_CHECK: 'strict',
  OPENMESH_TIMESTAMP_CHECK: 'on',
  OPENMESH_MACHINES_HOST: '127.0.0.1',
} as const;

const tlsFiles = ['OPENMESH_TLS_CERTIFICATE_FILE', 'OPENMESH_TLS_KEY_FILE'] as const;

function putTls(
  values: Record<string, string>,
  tls: { readonly mode: string; readonly folder: string; readonly makesCertificate: boolean },
): void {
  values['OPENMESH_TLS'] = tls.mode;
  if (tls.mode === 'off') {
    // Compose files leave the certificate's paths set while SSL=no.
    for (const name of tlsFiles) delete values[name];
    return;
  }
  if (!tls.makesCertificate) return;
  values['OPENMESH_TLS_CERTIFICATE_FILE'] = join(tls.folder, 'server.pem');
  values['OPENMESH_TLS_KEY_FILE'] = join(tls.folder, 'server-key.pem');
  if (tls.mode === 'mutual') values['OPENMESH_TLS_CA_FILE'] ??= join(tls.folder, 'ca.pem');
}
