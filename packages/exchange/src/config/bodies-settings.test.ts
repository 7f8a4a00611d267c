import { describe, expect, it } from 'vitest';
import { warnOfBodies } from './check-bodies.ts';
import { loadConfig } from './config.ts';

const sandbox = { OPENMESH_PROFILE: 'sandbox', OPENMESH_TLS: 'off', OPENMESH_SHARED_KEY: 'TestKey' };

function problemsOf(more: Readonly<Record<string, string>>): readonly string[] {
  const loaded = loadConfig({ ...sandbox, ...more });
  return loaded.ok ? [] : loaded.problems.map(({ name }) => name);
}

function placeOf(text: string): unknown {
  const loaded = loadConfig({ ...sandbox, OPENMESH_BODIES: text });
  if (!loaded.ok) return undefined;
  const { bodies } = loaded.config;
  return bodies.kind === 's3' ? [bodies.bucket, bodies.prefix] : [bodies.directory];
}

describe('where bodies are kept', () => {
  it.each([
    ['s3://bucket', ['bucket', '']],
    ['s3://bucket/', ['bucket', '']],
    ['s3://some.bucket-1/a/b', ['some.bucket-1', 'a/b']],
    ['s3://bucket/a/b/', ['bucket', 'a/b']],
    ['file:/var/bodies', ['/var/bodies']],
  ])('reads %s', (text, place) => {
    expect(placeOf(text)).toEqual(place);
  });

  it.each([
    's3:bucket',
    's3://',
    's3://ab',
    's3://Bucket',
    's3://bucket//a',
    's3://bucket/a b',
    's3://b_d/x',
    'S3://bucket',
  ])('refuses %s', (text) => {
    expect(problemsOf({ OPENMESH_BODIES: text })).toEqual(['OPENMESH_BODIES']);
  });

  it.each(['127.0.0.1:9000', 'http://h/path', 'http://user:pass@h', 'ftp://h', 'http://h?x=1'])(
    'refuses %s as the address of a store',
    (text) => {
      expect(problemsOf({ OPENMESH_S3_ENDPOINT: text })).toEqual(['OPENMESH_S3_ENDPOINT']);
    },
  );

  it('refuses a key of the store for an encryption that has none', () => {
    expect(problemsOf({ OPENMESH_S3_KMS_KEY: 'k' })).toEqual(['OPENMESH_S3_KMS_KEY']);
    expect(problemsOf({ OPENMESH_S3_KMS_KEY: 'k', OPENMESH_S3_ENCRYPTION: 'aws:kms' })).toEqual([]);
  });

  it.each(['http://10.1.2.3:9000', 'http://store.example.org'])(
    'warns of %s: bodies on the network without TLS',
    (text) => {
      expect(warnOfBodies({ OPENMESH_S3_ENDPOINT: text })).toHaveLength(1);
    },
  );

  it.each(['https://10.1.2.3:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000', 'http://localhost', undefined])(
    'warns not of %s',
    (text) => {
      expect(warnOfBodies({ OPENMESH_S3_ENDPOINT: text })).toEqual([]);
    },
  );
});
