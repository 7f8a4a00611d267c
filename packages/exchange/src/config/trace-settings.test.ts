import { describe, expect, it } from 'vitest';
import { warnOfTraces } from './check-traces.ts';
import { loadConfig } from './config.ts';

const sandbox = { OPENMESH_PROFILE: 'sandbox', OPENMESH_TLS: 'off', OPENMESH_SHARED_KEY: 'TestKey' };
const endpoint = { OPENMESH_TRACES_ENDPOINT: 'http://127.0.0.1:4318' };

function load(more: Readonly<Record<string, string>>) {
  const loaded = loadConfig({ ...sandbox, ...more });
  return loaded.ok ? { traces: loaded.config.traces } : { problems: loaded.problems.map(({ name }) => name) };
}

describe('traces', () => {
  it('are off unless a collector is named', () => {
    expect(load({})).toEqual({ traces: undefined });
  });

  it('are of all messages unless a share is named', () => {
    const traces = { endpoint: 'http://127.0.0.1:4318', caFile: undefined, share: 1, serviceName: 'openmesh-exchange' };
    expect(load(endpoint)).toEqual({ traces });
  });

  it.each([
    ['http://[::1]:4318/', 'http://[::1]:4318'],
    ['https://collector.example', 'https://collector.example'],
    ['https://collector.example/otlp/', 'https://collector.example/otlp'],
  ])('go to %s', (text, read) => {
    expect(load({ OPENMESH_TRACES_ENDPOINT: text })).toMatchObject({ traces: { endpoint: read } });
  });

  it.each([
    'collector:4318',
    'grpc://collector:4317',
    'http://user:password@collector:4318',
    'http://collector:4318?key=x',
    'http://collector:4318/v1/traces',
    'http://collector:4318/#a',
    '/var/run/collector',
  ])('do not go to %s', (text) => {
    expect(load({ OPENMESH_TRACES_ENDPOINT: text })).toEqual({ problems: ['OPENMESH_TRACES_ENDPOINT'] });
  });

  it.each([
    ['0', 0],
    ['1', 1],
    ['1.000', 1],
    ['0.01', 0.01],
    ['0.000001', 0.000001],
  ])('are of a share of %s', (text, share) => {
    expect(load({ ...endpoint, OPENMESH_TRACES_SHARE: text })).toMatchObject({ traces: { share } });
  });

  it.each(['1.1', '-0.1', '.5', '50%', '1e-3', '0.0000001', '0,1', 'Infinity'])('are of no share of %s', (text) => {
    expect(load({ ...endpoint, OPENMESH_TRACES_SHARE: text })).toEqual({ problems: ['OPENMESH_TRACES_SHARE'] });
  });

  it.each([
    ['OPENMESH_TRACES_SHARE', '0.5'],
    ['OPENMESH_TRACES_SERVICE_NAME', 'exchange'],
    ['OPENMESH_TRACES_CA_FILE', '/etc/ca.pem'],
  ])('are not half set: %s means nothing by itself', (name, value) => {
    expect(load({ [name]: value })).toEqual({ problems: [name] });
  });

  it('take authorities only for https, and only a file that has some', () => {
    const https = { OPENMESH_TRACES_ENDPOINT: 'https://collector.example' };
    const problems = ['OPENMESH_TRACES_CA_FILE'];
    expect(load({ ...endpoint, OPENMESH_TRACES_CA_FILE: '/etc/ca.pem' })).toEqual({ problems });
    expect(load({ ...https, OPENMESH_TRACES_CA_FILE: '/no/such/file' })).toEqual({ problems });
    expect(load({ ...https, OPENMESH_TRACES_CA_FILE: import.meta.dirname })).toEqual({ problems });
  });

  it('give a warning where they can be read on the way', () => {
    for (const text of ['http://collector:4318', 'http://10.0.0.1:4318']) {
      expect(warnOfTraces({ OPENMESH_TRACES_ENDPOINT: text }), text).toHaveLength(1);
    }
    for (const text of ['https://collector', 'http://localhost:4318', 'http://[::1]:4318']) {
      expect(warnOfTraces({ OPENMESH_TRACES_ENDPOINT: text }), text).toHaveLength(0);
    }
  });
});
