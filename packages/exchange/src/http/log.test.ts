import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { createLog, type Log, newCorrelationId, type RequestLogLine } from './log.ts';
import { type LogFields, logFieldNames } from './log-fields.ts';

const personal = [
  'GPPROVIDER_9000000009_19800101_SMITHSON',
  'Referral of Jane Smithson',
  'smithson-results.pdf',
  '900 000 0009',
  '/messageexchange/X26ABC1/outbox/tracking/smithson-local-id',
  'NHSMESH X26ABC1:nonce:0:202611210825:5e884898da28047151d0e56f8dc62927',
  'pass word',
  "O'Smithson\n    at smithson (file:///smithson.ts:1:1)",
];

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-log-'));
  file = join(folder, 'log');
});
afterEach(() => rmSync(folder, { recursive: true }));

function openLog(level: 'debug' | 'info' | 'warn' | 'error'): Log {
  return createLog({ level }, pino.destination({ dest: file, sync: true }));
}

function lines(): readonly Record<string, unknown>[] {
  const text = readFileSync(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const line: RequestLogLine = {
  correlationId: newCorrelationId(),
  operation: 'send-message',
  method: 'POST',
  status: 202,
  durationMs: 1.5,
  bytesReceived: 100,
  bytesSent: 20,
  address: '127.0.0.1',
  mailbox: 'X26ABC1',
  messageId: '20261121082518123456_ABCDEF',
};

/** Every place of the log that takes a value, filled with the given one, whatever its type says. */
function attack(log: Log, value: string): void {
  const everyField = Object.fromEntries(logFieldNames.map((name) => [name, value]));
  for (const status of [200, 403, 500]) {
    log.request({ ...line, ...everyField, status });
    log.request({
      ...line,
      ...everyField,
      status,
      headers: { 'mex-subject': value },
      req: { url: value },
    } as RequestLogLine);
  }
  const fields = { ...everyField, err: new Error(value), error: value, msg: value, [value]: value } as LogFields;
  log.debug('tried', fields);
  log.info('tried', fields);
  log.warn(value as 'tried', fields);
  const nested = new TypeError(value, { cause: new Error(value, { cause: value }) });
  Object.assign(nested, { code: value, kind: value, syscall: value, path: value, subject: value, name: value });
  const restacked = new Error('short');
  restacked.stack = value;
  const renamed = new RangeError(value);
  renamed.name = 'LedgerFault';
  for (const error of [nested, restacked, renamed, value, { message: value }]) log.error('failed', error, fields);
}

describe('the log', () => {
  it('writes no personal data, header, path or credential, whatever is put into any of its fields', () => {
    const log = openLog('debug');
    for (const value of personal) attack(log, value);
    const text = readFileSync(file, 'utf8');
    expect(text.match(/.{0,60}(smithson|9000000009|900 000|pass word|NHSMESH|tracking).{0,60}/i)).toBeNull();
    expect(lines().length).toBe(personal.length * 14);
  });

  it('writes a refused request with its reason and a failed one as an error, but a successful one only at debug', () => {
    const log = openLog('info');
    expect(log.writesSuccesses).toBe(false);
    log.request(line);
    log.request({ ...line, status: 403, reason: 'nonce-used' });
    log.request({ ...line, status: 500 });
    expect(lines()).toMatchObject([
      { level: 'info', event: 'request', status: 403, reason: 'nonce-used', mailbox: 'X26ABC1' },
      { level: 'error', event: 'request', status: 500, correlationId: line.correlationId },
    ]);
    expect(openLog('debug').writesSuccesses).toBe(true);
  });

  it('says of an error what it is, its code and where it was thrown, and leaves its message out', () => {
    const log = openLog('info');
    const cause = Object.assign(new Error('no space on device for smithson'), { code: 'ENOSPC', syscall: 'write' });
    log.error('commit-failed', new RangeError('the body of smithson', { cause }));
    const [written] = lines() as readonly { error: { frames: readonly string[] } }[];
    expect(written).toMatchObject({ error: { type: 'RangeError', cause: { code: 'ENOSPC', syscall: 'write' } } });
    expect(written?.error.frames[0]).toContain('log.test.ts');
    expect(readFileSync(file, 'utf8')).not.toContain('smithson');
  });

  it('prints the configuration in force without its secrets', () => {
    const env = { OPENMESH_PROFILE: 'sandbox', OPENMESH_TLS: 'off', OPENMESH_SHARED_KEY: 'never-show-this-key' };
    const loaded = loadConfig(env);
    if (!loaded.ok) throw new Error('the sandbox settings were refused');
    const log = openLog('info');
    log.config(loaded.config);
    expect(lines()).toMatchObject([
      { event: 'configuration', config: { profile: 'sandbox', tokens: { sharedKeys: ['********'] } } },
    ]);
    expect(readFileSync(file, 'utf8')).not.toContain('never-show-this-key');
  });

  it('has exactly the fields that docs/operate/logs.md explains', () => {
    const page = readFileSync(new URL('../../../../docs/operate/logs.md', import.meta.url), 'utf8');
    const explained = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(new Set(explained)).toEqual(new Set([...logFieldNames, 'error', 'config']));
    expect(explained).toHaveLength(new Set(explained).size);
  });

  it('gives each request a correlation id of its own', () => {
    const ids = Array.from({ length: 1000 }, newCorrelationId);
    expect(new Set(ids).size).toBe(1000);
  });
});
