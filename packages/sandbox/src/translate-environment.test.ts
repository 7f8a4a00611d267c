import { loadConfig } from '@openmesh/exchange';
import { describe, expect, it } from 'vitest';
import { type Arguments, readArguments } from './read-arguments.ts';
import { readSandboxSettings, translateEnvironment } from './translate-environment.ts';

const none: Arguments = { trueRules: false, memory: false, json: false, port: undefined };
const made = { home: '/data/.openmesh', makesCertificate: true };

function translated(env: Record<string, string>, args: Partial<Arguments> = {}) {
  return translateEnvironment(env, { ...none, ...args }, made).values;
}

describe('the translation of the Python sandbox’s variables', () => {
  it('has the defaults of a laptop', () => {
    expect(translated({})).toEqual({
      OPENMESH_PROFILE: 'sandbox',
      OPENMESH_SHARED_KEY: 'TestKey',
      OPENMESH_MACHINES_PORT: '8700',
      OPENMESH_OPERATORS_PORT: '8720',
      OPENMESH_LEDGER: 'sqlite:/data/.openmesh/ledger.sqlite',
      OPENMESH_BODIES: 'file:/data/.openmesh/bodies',
      OPENMESH_THROTTLE_REQUESTS_PER_SECOND: '0',
      OPENMESH_LOOKUPS_PER_SECOND: '0',
      OPENMESH_UNAUTHENTICATED_PER_SECOND: '0',
      OPENMESH_TLS: 'server',
      OPENMESH_TLS_CERTIFICATE_FILE: '/data/.openmesh/tls/server.pem',
      OPENMESH_TLS_KEY_FILE: '/data/.openmesh/tls/server-key.pem',
    });
  });

  it.each([
    [{ ENV: 'int' }, { OPENMESH_ENVIRONMENT_NAME: 'int' }],
    [{ BUILD_LABEL: '1.0.22' }, { OPENMESH_BUILD_LABEL: '1.0.22' }],
    [{ AUTH_MODE: 'none' }, { OPENMESH_AUTH_MODE: 'none' }],
    [{ AUTH_MODE: 'canned' }, { OPENMESH_AUTH_MODE: 'canned' }],
    [{ AUTH_MODE: 'full' }, { OPENMESH_AUTH_MODE: 'full' }],
    [{ AUTH_MODE: 'no_auth' }, { OPENMESH_AUTH_MODE: 'full' }],
    [{ AUTH_MODE: 'NONE' }, { OPENMESH_AUTH_MODE: 'full' }],
    [{ SHARED_KEY: 'Banana' }, { OPENMESH_SHARED_KEY: 'Banana' }],
    [{ PORT: '80' }, { OPENMESH_MACHINES_PORT: '80', OPENMESH_OPERATORS_PORT: '0' }],
    [{ INBOX_EXPIRY_DAYS: '3' }, { OPENMESH_INBOX_EXPIRY_DAYS: '3' }],
    [{ MESSAGE_EXPIRY_DAYS: '10' }, { OPENMESH_HIDE_DAYS: '10', OPENMESH_BODY_RETENTION_DAYS: '10' }],
    [
      { MESSAGE_EXPIRY_DAYS: '120' },
      { OPENMESH_HIDE_DAYS: '120', OPENMESH_BODY_RETENTION_DAYS: '120', OPENMESH_RECORD_RETENTION_DAYS: '120' },
    ],
    [
      { MESSAGE_EXPIRY_DAYS: '3' },
      { OPENMESH_HIDE_DAYS: '3', OPENMESH_INBOX_EXPIRY_DAYS: '3', OPENMESH_UPLOAD_ABANDONED_DAYS: '3' },
    ],
    [{ MESSAGE_EXPIRY_DAYS: '10', INBOX_EXPIRY_DAYS: '20' }, { OPENMESH_INBOX_EXPIRY_DAYS: '10' }],
    [{ MESSAGE_EXPIRY_DAYS: '3', INBOX_EXPIRY_DAYS: '2' }, { OPENMESH_INBOX_EXPIRY_DAYS: '2' }],
    [{ SHARED_KEY: '' }, { OPENMESH_SHARED_KEY: 'TestKey' }],
  ])('says %j as %j', (env, expected) => {
    expect(translated(env as unknown as Record<string, string>)).toMatchObject(expected);
  });

  it('makes settings that the exchange takes whatever days the two variables say', () => {
    const days = ['1', '4', '5', '6', '30', '89', '90', '91', '365'];
    for (const MESSAGE_EXPIRY_DAYS of days) {
      for (const inbox of [{}, ...days.map((INBOX_EXPIRY_DAYS) => ({ INBOX_EXPIRY_DAYS }))]) {
        const env = { MESSAGE_EXPIRY_DAYS, ...inbox };
        const loaded = loadConfig(translated({ SSL: 'no', ...env }));
        expect(loaded.ok ? [] : loaded.problems, JSON.stringify(env)).toEqual([]);
      }
    }
  });

  it('turns TLS off with SSL=no, whatever certificate is still named', () => {
    const values = translated({ SSL: 'no', SSL_CRTFILE: '/a.pem', SSL_KEYFILE: '/a.key' });
    expect(values['OPENMESH_TLS']).toBe('off');
    expect(values).not.toHaveProperty('OPENMESH_TLS_CERTIFICATE_FILE');
  });

  it('takes a certificate that is given', () => {
    const env = { SSL_CRTFILE: '/a.pem', SSL_KEYFILE: '/a.key' };
    const { values } = translateEnvironment(env, none, { ...made, makesCertificate: false });
    expect(values).toMatchObject({ OPENMESH_TLS_CERTIFICATE_FILE: '/a.pem', OPENMESH_TLS_KEY_FILE: '/a.key' });
    expect(readSandboxSettings(env, none).settings.makesCertificate).toBe(false);
  });

  it('lets what is said in the exchange’s own words win', () => {
    const env = { PORT: '1', OPENMESH_MACHINES_PORT: '2', SHARED_KEY: 'a', OPENMESH_SHARED_KEY: 'b' };
    expect(translated(env)).toMatchObject({ OPENMESH_MACHINES_PORT: '2', OPENMESH_SHARED_KEY: 'b' });
    expect(translated({ OPENMESH_SHARED_KEY_FILE: '/key' })).not.toHaveProperty('OPENMESH_SHARED_KEY');
    expect(translated({ SSL: 'yes', OPENMESH_TLS: 'off' })['OPENMESH_TLS']).toBe('off');
  });

  it('lets the command line win over both', () => {
    expect(translated({ PORT: '1', OPENMESH_MACHINES_PORT: '2' }, { port: '3' })).toMatchObject({
      OPENMESH_MACHINES_PORT: '3',
    });
  });

  it('hands on no setting that is the sandbox’s own, and nothing else that is around', () => {
    const values = translated({ OPENMESH_SANDBOX_HOOKS: '/h.mjs', HOME: '/root', STORE_MODE: 'file' });
    expect(Object.keys(values).every((name) => name.startsWith('OPENMESH_') && !name.includes('SANDBOX'))).toBe(true);
  });

  it('knows which variable a setting came from, for the sentence that refuses it', () => {
    const { origins } = translateEnvironment({ PORT: 'x', AUTH_MODE: 'y', OPENMESH_AUTH_MODE: 'z' }, none, made);
    expect(origins).toEqual({ OPENMESH_MACHINES_PORT: 'PORT' });
  });

  it('cannot be weakened where the true rules are asked for', () => {
    const env = { AUTH_MODE: 'none', SSL: 'no', OPENMESH_NONCE_CHECK: 'off', OPENMESH_MACHINES_HOST: '0.0.0.0' };
    expect(translated(env, { trueRules: true })).toMatchObject({
      OPENMESH_WIRE_RULES: 'live',
      OPENMESH_AUTH_MODE: 'full',
      OPENMESH_NONCE_CHECK: 'strict',
      OPENMESH_TIMESTAMP_CHECK: 'on',
      OPENMESH_MACHINES_HOST: '127.0.0.1',
      OPENMESH_TLS: 'mutual',
      OPENMESH_TLS_CA_FILE: '/data/.openmesh/tls/ca.pem',
    });
  });
});

describe('the sandbox’s own settings', () => {
  it.each([
    [{}, '/tmp/mesh_store'],
    [{ FILE_STORE_DIR: '/a' }, '/a'],
    [{ FILE_STORE_DIR: '/a', MAILBOXES_DATA_DIR: '/b' }, '/b'],
  ])('with %j keep things in %s', (env, dataFolder) => {
    expect(readSandboxSettings(env, none).settings.dataFolder).toBe(dataFolder);
  });

  it.each([
    [{}, {}, 'file'],
    [{ STORE_MODE: 'MEMORY' }, {}, 'memory'],
    [{ STORE_MODE: 'canned' }, {}, 'canned'],
    [{ STORE_MODE: 'canned' }, { memory: true }, 'memory'],
  ])('with %j and %j have the store mode %s', (env, args, storeMode) => {
    const given = readSandboxSettings(env, { ...none, ...args });
    expect(given.settings.storeMode).toBe(storeMode);
  });

  it('name every problem at once', () => {
    const env = {
      STORE_MODE: 'cloud',
      SSL: 'perhaps',
      SSL_CRTFILE: '/a.pem',
      OPENMESH_PROFILE: 'live',
      OPENMESH_SANDBOX_HOOK: 'typing error',
    };
    const names = readSandboxSettings(env, none).problems.map(({ name }) => name);
    expect(names).toEqual(['STORE_MODE', 'SSL', 'SSL_CRTFILE', 'OPENMESH_SANDBOX_HOOK', 'OPENMESH_PROFILE']);
  });

  it('have a list of webhooks', () => {
    const env = { OPENMESH_SANDBOX_WEBHOOKS: 'http://127.0.0.1:1, http://localhost:2' };
    expect(readSandboxSettings(env, none).settings.webhooks).toEqual(['http://127.0.0.1:1', 'http://localhost:2']);
  });
});

describe('the command line', () => {
  it('is read whole', () => {
    expect(readArguments(['--true', '--memory', '--json', '--port', '0'])).toEqual({
      trueRules: true,
      memory: true,
      json: true,
      port: '0',
    });
    expect(readArguments(['--help'])).toBe('help');
  });

  it.each([[['--port']], [['--port', 'x']], [['extra']], [['--true=1']]])('refuses %j in a sentence', (args) => {
    expect(readArguments(args)).toHaveProperty('problem');
  });
});
