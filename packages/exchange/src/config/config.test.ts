import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { assert, constantFrom, dictionary, oneof, property, string } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from './config.ts';
import { describeConfig, describeSettings } from './describe-config.ts';
import { openSecretKeys } from './secrets.ts';
import { type SettingName, settings } from './settings.ts';

type Env = Readonly<Record<string, string>>;

const sharedKey = 'never-show-this-key';
const sandbox: Env = { OPENMESH_PROFILE: 'sandbox', OPENMESH_TLS: 'off', OPENMESH_SHARED_KEY: sharedKey };
let folder: string;
let live: Env;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-config-'));
  const place = (name: string, content: string, mode = 0o600): string => {
    writeFileSync(join(folder, name), content, { mode });
    return join(folder, name);
  };
  live = {
    OPENMESH_SHARED_KEY_FILE: place('shared.key', `${sharedKey}\n`),
    OPENMESH_SECRET_KEY_FILE: place('secret.key', `${'ab'.repeat(32)}\n`),
    OPENMESH_TLS_CERTIFICATE_FILE: place('server.crt', 'certificate', 0o644),
    OPENMESH_TLS_KEY_FILE: place('server.key', 'key'),
    OPENMESH_TLS_CA_FILE: place('ca.crt', 'authority', 0o644),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(env: Env): Config {
  const loaded = loadConfig(env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function problemsOf(env: Env): readonly string[] {
  const loaded = loadConfig(env);
  return loaded.ok ? [] : loaded.problems.map(({ name, problem }) => `${name} ${problem}`);
}

function trusting(proxies: string): Env {
  return { ...sandbox, OPENMESH_TRUSTED_PROXIES: proxies };
}

describe('the two profiles', () => {
  it('gives the live profile mutual TLS, strict tokens and no sandbox switches by default', () => {
    const config = load(live);
    expect(config).toMatchObject({ profile: 'live', wireRules: 'live', adminRoutes: false, movableClock: false });
    expect(config.machines).toMatchObject({
      port: 8700,
      tls: { mode: 'mutual', missingClientCertificate: 'tls-alert' },
    });
    expect(config.tokens).toMatchObject({ nonceCheck: 'strict', timestampCheck: 'on', certificateMatch: 'warn' });
    expect(config.sending.reportOnFailedSend).toBe(true);
    expect(config.operators).toEqual({ host: '127.0.0.1', port: 8720 });
    expect(config.retention).toMatchObject({ inboxExpiryMs: 432_000_000, uploadAbandonedMs: 432_000_000 });
  });

  it('gives the sandbox profile its admin routes, its clock and unchecked tokens by default', () => {
    const config = load(sandbox);
    expect(config).toMatchObject({ profile: 'sandbox', wireRules: 'sandbox', adminRoutes: true, movableClock: true });
    expect(config.tokens).toMatchObject({ nonceCheck: 'off', timestampCheck: 'off', certificateMatch: 'off' });
    expect(config.bodies.diskReserveBytes).toBe(67_108_864);
  });

  it('runs live wire rules in the sandbox profile with the strict defaults and the sandbox switches together', () => {
    const config = load({ ...sandbox, OPENMESH_WIRE_RULES: 'live' });
    expect(config).toMatchObject({ wireRules: 'live', adminRoutes: true, movableClock: true });
    expect(config.tokens).toMatchObject({ nonceCheck: 'strict', timestampCheck: 'on' });
  });

  it('refuses every sandbox switch in the live profile', () => {
    for (const [name, value] of [
      ['OPENMESH_WIRE_RULES', 'sandbox'],
      ['OPENMESH_ADMIN_ROUTES', 'on'],
      ['OPENMESH_MOVABLE_CLOCK', 'on'],
      ['OPENMESH_AUTH_MODE', 'none'],
      ['OPENMESH_AUTH_MODE', 'canned'],
    ] as const) {
      expect(problemsOf({ ...live, [name]: value })).toEqual([
        `${name} =${value} is permitted in the sandbox profile only`,
      ]);
    }
  });
});

describe('what refuses to start', () => {
  it('refuses an unknown OPENMESH_ name and leaves other names alone', () => {
    expect(problemsOf({ ...sandbox, OPENMESH_COLOUR: '1', PATH: '/bin' })).toEqual([
      'OPENMESH_COLOUR is not a setting of OpenMESH',
    ]);
    expect(problemsOf({ ...sandbox, OPENMESH_LEGDER: 'sqlite:x' })).toEqual([
      'OPENMESH_LEGDER is not a setting of OpenMESH; did you mean OPENMESH_LEDGER?',
    ]);
  });

  it('refuses an empty value instead of taking the default', () => {
    expect(problemsOf({ ...sandbox, OPENMESH_LOG_LEVEL: '' })).toEqual([
      'OPENMESH_LOG_LEVEL is empty: give it a value or remove it',
    ]);
  });

  it('refuses TLS with a certificate and no key, and the reverse', () => {
    const { OPENMESH_TLS_KEY_FILE: _key, ...withoutKey } = live;
    expect(problemsOf(withoutKey)).toEqual(['OPENMESH_TLS_KEY_FILE is required with OPENMESH_TLS=mutual']);
    const { OPENMESH_TLS_CERTIFICATE_FILE: _certificate, ...withoutCertificate } = live;
    expect(problemsOf(withoutCertificate)).toEqual([
      'OPENMESH_TLS_CERTIFICATE_FILE is required with OPENMESH_TLS=mutual',
    ]);
  });

  it('refuses options that have no meaning beside the others', () => {
    expect(problemsOf({ ...sandbox, OPENMESH_TLS_CA_FILE: String(live['OPENMESH_TLS_CA_FILE']) })).toEqual([
      'OPENMESH_TLS_CA_FILE has no meaning with OPENMESH_TLS=off',
    ]);
    expect(problemsOf({ ...sandbox, OPENMESH_PROXY_PROTOCOL: 'v2' })).toHaveLength(1);
    expect(problemsOf({ ...sandbox, OPENMESH_CERTIFICATE_MATCH: 'enforce' })).toHaveLength(1);
  });

  it('refuses plain HTTP in the live profile except on a loopback address', () => {
    const { OPENMESH_SHARED_KEY_FILE, OPENMESH_SECRET_KEY_FILE } = live as Record<string, string>;
    const plain = { OPENMESH_SHARED_KEY_FILE, OPENMESH_SECRET_KEY_FILE, OPENMESH_TLS: 'off' } as Env;
    expect(problemsOf(plain)).toHaveLength(1);
    expect(load({ ...plain, OPENMESH_MACHINES_HOST: '127.0.0.1' }).machines.tls).toEqual({ mode: 'off' });
  });

  it('refuses both shared key settings together, and neither', () => {
    expect(problemsOf({ ...live, OPENMESH_SHARED_KEY: 'x' })).toHaveLength(1);
    const { OPENMESH_SHARED_KEY: _key, ...none } = sandbox;
    expect(problemsOf(none)).toEqual(['OPENMESH_SHARED_KEY or OPENMESH_SHARED_KEY_FILE is required']);
  });

  it('refuses an operators listener that other machines could reach', () => {
    for (const host of ['0.0.0.0', '::', '10.1.2.3', 'example.org']) {
      expect(problemsOf({ ...sandbox, OPENMESH_OPERATORS_HOST: host })).toHaveLength(1);
    }
    expect(load({ ...sandbox, OPENMESH_OPERATORS_HOST: '::1', OPENMESH_OPERATORS_PORT: '0' }).operators.port).toBe(0);
  });

  it('takes a PostgreSQL with the key that its nodes share, and prints its address without the password', () => {
    const url = 'postgres://mesh:pass-word@db.example:5433/mesh?sslmode=require&sslpassword=other-word';
    const env = { ...sandbox, OPENMESH_LEDGER: url };
    expect(problemsOf(env)).toEqual(['OPENMESH_SECRET_KEY_FILE is required with PostgreSQL: the nodes share one key']);
    const config = load({ ...env, OPENMESH_SECRET_KEY_FILE: live.OPENMESH_SECRET_KEY_FILE ?? '' });
    const shown = 'postgres://mesh:********@db.example:5433/mesh?sslmode=require&sslpassword=********';
    expect(config.ledger).toMatchObject({ engine: 'postgres', shown });
    const printed = `${JSON.stringify(describeConfig(config))} ${JSON.stringify(describeSettings(env))}`;
    expect(printed).toContain(shown);
    expect(printed).not.toMatch(/pass-word|other-word/);
  });

  it.each([
    'postgres:mesh',
    'postgres://',
    'postgres://host',
    'postgres://host/',
    'postgresqlx://h/d',
    'postgres:///d',
  ])('refuses %s, which names no host or no database', (place) => {
    expect(problemsOf({ ...live, OPENMESH_LEDGER: place })).toHaveLength(1);
  });

  it('refuses a place whose path would be read as a host, or would be lost with the process', () => {
    for (const place of ['sqlite://ledger.sqlite', 'sqlite:', 'sqlite::memory:', 'ledger.sqlite']) {
      expect(problemsOf({ ...sandbox, OPENMESH_LEDGER: place })).toHaveLength(1);
    }
    expect(problemsOf({ ...sandbox, OPENMESH_BODIES: 'file://bodies' })).toHaveLength(1);
    const { bodies } = load({ ...sandbox, OPENMESH_BODIES: 'file:///var/bodies' });
    expect(bodies).toMatchObject({ kind: 'file', directory: '/var/bodies' });
  });

  it('refuses a number outside its limits, at both ends and however it is written', () => {
    for (const port of ['-1', '65536', '1e3', '0x10', ' 80', '8700.0', '٣']) {
      expect(problemsOf({ ...sandbox, OPENMESH_MACHINES_PORT: port })).toHaveLength(1);
    }
    expect(load({ ...sandbox, OPENMESH_MACHINES_PORT: '65535' }).machines.port).toBe(65_535);
  });

  it('refuses spans that contradict each other', () => {
    expect(problemsOf({ ...sandbox, OPENMESH_BODY_RETENTION_DAYS: '4' })).toEqual([
      'OPENMESH_INBOX_EXPIRY_DAYS must not be larger than OPENMESH_BODY_RETENTION_DAYS',
      'OPENMESH_UPLOAD_ABANDONED_DAYS must not be larger than OPENMESH_BODY_RETENTION_DAYS',
    ]);
  });

  it('reads ranges of addresses, and refuses what is none', () => {
    expect(load(trusting('10.0.0.0/8, ::1')).machines.trustedProxies).toEqual([
      { address: '10.0.0.0', prefixLength: 8, family: 'ipv4' },
      { address: '::1', prefixLength: 128, family: 'ipv6' },
    ]);
    for (const text of ['10.0.0.0/33', '10.0.0', 'proxy', '10.0.0.1,', '::1/129', 'fe80::1%eth0']) {
      expect(problemsOf(trusting(text))).toHaveLength(1);
    }
  });

  it('answers with problems, never with an exception, whatever the settings hold', () => {
    const name = constantFrom(...(Object.keys(settings) as SettingName[]));
    const value = oneof(string(), constantFrom('on', 'off', 'live', 'sandbox', 'mutual', '0', '1', '/', '.'));
    const env = dictionary(name, value);
    assert(
      property(env, (random) => {
        const loaded = loadConfig(random);
        return loaded.ok || loaded.problems.length > 0;
      }),
    );
  });

  it('gives a configuration nothing can change afterwards', () => {
    const config = load(live);
    const parts = [config, config.machines, config.machines.tls, config.tokens, config.tokens.sharedKeys];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });

  it('finds every problem at once and repeats no value', () => {
    const found = problemsOf({ ...sandbox, OPENMESH_MACHINES_PORT: 'pass-word', OPENMESH_LOG_LEVEL: 'pass-word' });
    expect(found).toHaveLength(2);
    expect(found.join()).not.toContain('pass-word');
  });
});

describe('secrets', () => {
  it('takes two shared keys from a file, one a line, and refuses a third', () => {
    const file = join(folder, 'keys');
    writeFileSync(file, 'new\nold\n', { mode: 0o600 });
    const env = { ...live, OPENMESH_SHARED_KEY_FILE: file };
    expect(load(env).tokens.sharedKeys.map((key) => key.reveal())).toEqual(['new', 'old']);
    writeFileSync(file, 'a\nb\nc\n');
    expect(problemsOf(env)).toHaveLength(1);
  });

  it('shows no shared key however the configuration is printed', () => {
    const config = load(sandbox);
    const printed = [JSON.stringify(config), JSON.stringify(describeConfig(config)), inspect(config, { depth: 9 })];
    expect(printed.join()).not.toContain(sharedKey);
    expect(String(config.tokens.sharedKeys[0])).toBe('********');
  });

  it('makes the sandbox a key of its own beside the ledger, once', () => {
    const config = load({ ...sandbox, OPENMESH_LEDGER: `sqlite:${folder}/new/ledger.sqlite` });
    const [first] = openSecretKeys(config);
    expect(first?.key.reveal()).toHaveLength(32);
    const again = openSecretKeys(config);
    expect(again.map(({ id, key }) => [id, key.reveal()])).toEqual([[first?.id, first?.key.reveal()]]);
    expect(statSync(config.secretKey.file).mode & 0o777).toBe(0o400);
    expect(readdirSync(join(folder, 'new'))).toEqual(['secret.key']);
  });

  it('refuses a live profile without a secret key, and one that is no key', () => {
    const { OPENMESH_SECRET_KEY_FILE: file, ...without } = live;
    expect(problemsOf(without)).toEqual(['OPENMESH_SECRET_KEY_FILE is required in the live profile']);
    writeFileSync(String(file), 'ab'.repeat(31));
    expect(problemsOf(live)).toEqual([
      'OPENMESH_SECRET_KEY_FILE must name a file of 1 to 8 lines of 32 bytes each, as hex or base64',
    ]);
  });

  it('puts a new secret key before the old one without renaming the old one', () => {
    const file = String(live['OPENMESH_SECRET_KEY_FILE']);
    const [old] = openSecretKeys(load(live));
    writeFileSync(file, `${Buffer.alloc(32, 7).toString('base64')}\n${'ab'.repeat(32)}\n`);
    const keys = openSecretKeys(load(live));
    expect(keys[0]?.key.reveal()).toEqual(Buffer.alloc(32, 7));
    expect(keys[1]?.id).toBe(old?.id);
    expect(keys[0]?.id).not.toBe(old?.id);
  });

  it('warns about a secret file that every user of the machine can read', () => {
    chmodSync(String(live['OPENMESH_SHARED_KEY_FILE']), 0o644);
    const loaded = loadConfig(live);
    expect(loaded.ok && loaded.warnings.map(({ name }) => name)).toEqual(['OPENMESH_SHARED_KEY_FILE']);
  });
});
