import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MailboxId, parseMailboxId } from './identifiers.ts';
import { sendHeaderLengthMax } from './limits.ts';
import { parseSendHeaders } from './send-headers.ts';
import { wireFailure } from './validation.ts';

const sender = parseMailboxId('X26ABC1') as MailboxId;
const names = [...Object.keys(sendHeaderLengthMax), 'content-type', 'content-encoding', 'mex-messagetype'];
const values = fc.oneof(
  fc.string({ unit: fc.nat(0xff).map((code) => String.fromCharCode(code)), maxLength: 30 }),
  fc.constantFrom('', ' ', 'X26ABC1', 'X26ABC2', '1:3', 'gzip', 'DATA', 'Y', 'http://x', 'a'.repeat(501)),
);
const requests = fc.dictionary(fc.constantFrom(...names), values, { noNullPrototype: true });

function read(headers: Readonly<Record<string, string>>, profile: 'live' | 'sandbox') {
  return parseSendHeaders((name) => headers[name], { sender, profile });
}

describe('send headers', () => {
  it('are read into canonical form or refused with a status of the specification, whatever was sent', () => {
    fc.assert(
      fc.property(requests, fc.constantFrom('live', 'sandbox'), (headers, profile) => {
        const reading = read(headers, profile);
        if (!reading.ok) {
          expect([400, 417, 422]).toContain(wireFailure(reading.failure, 2).status);
          return;
        }
        const { send } = reading;
        expect(send.to).not.toMatch(/^[ \t]|[ \t]$/);
        expect(send.to).not.toMatch(/[a-z]/);
        expect(send.totalChunks).toBeGreaterThanOrEqual(1);
        const { contentEncoding, workflowId, ...texts } = send;
        expect(['', 'gzip']).toContain(contentEncoding);
        expect(workflowId !== '' || profile === 'sandbox').toBe(true);
        expect(Object.values(texts)).not.toContain('');
      }),
      { examples: [[{ 'mex-to': 'X26ABC2', 'mex-workflowid': 'WF1' }, 'live']] },
    );
  });

  it('accept in the sandbox whatever they accept in live, with the same meaning', () => {
    fc.assert(
      fc.property(requests, (headers) => {
        const live = read({ 'mex-to': 'X26ABC2', 'mex-workflowid': 'WF1', ...headers }, 'live');
        fc.pre(live.ok);
        expect(read({ 'mex-to': 'X26ABC2', 'mex-workflowid': 'WF1', ...headers }, 'sandbox')).toEqual(live);
      }),
    );
  });

  it('keep the texts of people out of every refusal, since a refusal is recorded', () => {
    const secret = 'patient-Smith';
    const personal = ['mex-to', 'mex-subject', 'mex-filename', 'mex-localid', 'mex-partnerid', 'mex-workflowid'];
    for (const name of personal) {
      const headers = { 'mex-to': 'X26ABC2', 'mex-workflowid': 'WF1', [name]: secret.repeat(50) };
      const reading = read(headers, 'live');
      if (reading.ok) throw new Error('a header of 650 characters was accepted');
      for (const version of [1, 2] as const) expect(wireFailure(reading.failure, version).body).not.toContain(secret);
    }
  });
});
