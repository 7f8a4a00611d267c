import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from './config.ts';
import { describeConfig } from './describe-config.ts';

type Env = Readonly<Record<string, string>>;

const sandbox: Env = { OPENMESH_PROFILE: 'sandbox', OPENMESH_TLS: 'off', OPENMESH_SHARED_KEY: 'x' };
const apiKey = 'never-show-this-key';
let folder = '';
let fhir: Env = {};

function place(name: string, content: string): string {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
}

function pemOf(type: 'rsa' | 'ec'): string {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-services-'));
  fhir = {
    ...sandbox,
    OPENMESH_DEMOGRAPHICS: 'fhir:https://demographics.example/FHIR/R4/',
    OPENMESH_SERVICES_TOKEN_URL: 'https://demographics.example/oauth2/token',
    OPENMESH_SERVICES_API_KEY: apiKey,
    OPENMESH_SERVICES_KEY_ID: 'test-1',
    OPENMESH_SERVICES_KEY_FILE: place('signing.pem', pemOf('rsa')),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

function problemsOf(env: Env): readonly string[] {
  const loaded = loadConfig(env);
  return loaded.ok ? [] : loaded.problems.map(({ name, problem }) => `${name} ${problem}`);
}

function without(env: Env, name: string): Env {
  return Object.fromEntries(Object.entries(env).filter(([each]) => each !== name));
}

describe('the services that are asked', () => {
  it('are none unless they are named', () => {
    const loaded = loadConfig(sandbox);
    expect(loaded.ok && loaded.config.services).toMatchObject({
      demographics: { kind: 'off' },
      organisationsUrl: undefined,
      apiKey: undefined,
      signing: undefined,
    });
  });

  it('are named whole, and the key to them is never shown', () => {
    const loaded = loadConfig(fhir);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { services } = loaded.config;
    expect(services.demographics).toEqual({ kind: 'fhir', url: 'https://demographics.example/FHIR/R4' });
    expect(services.apiKey?.reveal()).toBe(apiKey);
    expect(inspect(loaded.config, { depth: 9 }) + JSON.stringify(describeConfig(loaded.config))).not.toContain(apiKey);
  });

  it.each(['OPENMESH_SERVICES_TOKEN_URL', 'OPENMESH_SERVICES_KEY_ID', 'OPENMESH_SERVICES_KEY_FILE'])(
    'are not asked for patients without %s',
    (name) => {
      expect(problemsOf(without(fhir, name))).toEqual([`${name} is required with OPENMESH_DEMOGRAPHICS=fhir:…`]);
      expect(problemsOf({ ...sandbox, [name]: String(fhir[name]) })).toEqual([
        `${name} has no meaning without OPENMESH_DEMOGRAPHICS=fhir:…`,
      ]);
    },
  );

  it('need one API key, in one place', () => {
    const file = place('api-key', `${apiKey}\n`);
    const inFile = { ...without(fhir, 'OPENMESH_SERVICES_API_KEY'), OPENMESH_SERVICES_API_KEY_FILE: file };
    const loaded = loadConfig(inFile);
    expect(loaded.ok && loaded.config.services.apiKey?.reveal()).toBe(apiKey);
    expect(problemsOf({ ...inFile, OPENMESH_SERVICES_API_KEY: 'x' })).toHaveLength(1);
    expect(problemsOf(without(fhir, 'OPENMESH_SERVICES_API_KEY'))).toHaveLength(1);
    expect(problemsOf({ ...sandbox, OPENMESH_ORGANISATIONS: 'https://o.example/fhir' })).toHaveLength(1);
    expect(problemsOf({ ...sandbox, OPENMESH_SERVICES_API_KEY: 'x' })).toHaveLength(1);
  });

  it.each([
    ['plain HTTP', { OPENMESH_DEMOGRAPHICS: 'fhir:http://demographics.example' }],
    ['a password in the address', { OPENMESH_DEMOGRAPHICS: 'fhir:https://u:p@demographics.example' }],
    ['no scheme', { OPENMESH_DEMOGRAPHICS: 'https://demographics.example' }],
    ['a token address with a query', { OPENMESH_SERVICES_TOKEN_URL: 'https://demographics.example/?a=b' }],
    ['a register that is not there', { OPENMESH_DEMOGRAPHICS: 'file:/nowhere/register.jsonl' }],
  ])('are refused with %s', (_says, change) => {
    expect(problemsOf({ ...fhir, ...change }).length).toBeGreaterThan(0);
  });

  it('are refused with a signing key that cannot sign as they ask', () => {
    for (const content of [pemOf('ec'), 'no key']) {
      const file = place('other.pem', content);
      expect(problemsOf({ ...fhir, OPENMESH_SERVICES_KEY_FILE: file })).toEqual([
        'OPENMESH_SERVICES_KEY_FILE must name a file with an RSA private key, PEM',
      ]);
    }
  });
});
