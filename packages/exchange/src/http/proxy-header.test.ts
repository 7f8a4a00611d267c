import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';

const rules = { acceptVersion1: true, headerBytesMax: 512 };
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function version2(command: number, family: number, body: Buffer): Buffer {
  const fixed = Buffer.from([0x20 | command, family, 0, 0]);
  fixed.writeUInt16BE(body.length, 2);
  return Buffer.concat([signature, fixed, body]);
}

const ipv4 = version2(1, 0x11, Buffer.from([192, 0, 2, 1, 10, 0, 0, 1, 0xff, 0xff, 0x01, 0xbb]));
const ipv6Body = Buffer.alloc(36 + 5, 0);
ipv6Body.set([0x20, 0x01, 0x0d, 0xb8], 0);
ipv6Body[15] = 5;
ipv6Body.writeUInt16BE(8080, 32);
const ipv6 = version2(1, 0x21, ipv6Body);

describe('a PROXY protocol header', () => {
  it.each([
    ['version 2, IPv4', ipv4, { address: '192.0.2.1', port: 65535 }],
    ['version 2, IPv6, with extensions', ipv6, { address: '2001:db8::5', port: 8080 }],
    ['version 2, spoken for itself', version2(0, 0x11, Buffer.alloc(12, 9)), undefined],
    ['version 2, unspecified', version2(1, 0x00, Buffer.alloc(0)), undefined],
    [
      'version 1, IPv4',
      Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 65535 443\r\n'),
      { address: '192.0.2.1', port: 65535 },
    ],
    ['version 1, unknown', Buffer.from('PROXY UNKNOWN ffff:f...f:ffff\r\n'), undefined],
  ])('of %s tells the caller and its own length, however it is cut', (_what, bytes, client) => {
    const followed = Buffer.concat([bytes, Buffer.from('\x16\x03\x01', 'latin1')]);
    expect(readProxyHeader(followed, rules)).toEqual({ state: 'complete', headerBytes: bytes.length, client });
    for (let length = 0; length < bytes.length; length++) {
      expect(readProxyHeader(bytes.subarray(0, length), rules)).toEqual({ state: 'incomplete' });
    }
  });

  it.each([
    'PROXY TCP4 192.0.2.1 10.0.0.1 65536 443\r\n',
    'PROXY TCP4 192.0.2.256 10.0.0.1 1 443\r\n',
    'PROXY TCP4 2001:db8::1 10.0.0.1 1 443\r\n',
    'PROXY TCP6 192.0.2.1 ::1 1 443\r\n',
    'PROXY TCP4 localhost 10.0.0.1 1 443\r\n',
  ])('of version 1 with an impossible address is refused: %j', (line) => {
    expect(readProxyHeader(Buffer.from(line), rules)).toEqual({ state: 'fault', kind: 'inconsistent' });
  });

  it.each(['PROXY TCP4 192.0.2.1\r\n', 'PROXY TCP5 a b 1 2\r\n', 'PROXY  TCP4 192.0.2.1 10.0.0.1 1 2\r\n', 'PROXZ'])(
    'of version 1 that is not one is refused: %j',
    (line) => {
      expect(readProxyHeader(Buffer.from(line), rules)).toEqual({ state: 'fault', kind: 'garbage' });
    },
  );

  it('of version 1 is not awaited beyond its greatest length', () => {
    const endless = Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`);
    expect(readProxyHeader(endless.subarray(0, 106), rules)).toEqual({ state: 'incomplete' });
    expect(readProxyHeader(endless, rules)).toEqual({ state: 'fault', kind: 'oversized' });
  });

  it('of version 2 is refused as too long before its bytes are awaited', () => {
    const long = version2(1, 0x11, Buffer.alloc(600)).subarray(0, 16);
    expect(readProxyHeader(long, rules)).toEqual({ state: 'fault', kind: 'oversized' });
  });

  it('never throws, never takes more than it got, and answers the same for bytes given at once or in two', () => {
    const start = fc.constantFrom(signature, Buffer.from('PROXY '), ipv4.subarray(0, 14), Buffer.alloc(0));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), fc.nat(), (prefix, random, where) => {
        const bytes = Buffer.concat([prefix, random]);
        const whole = readProxyHeader(bytes, rules);
        const part = readProxyHeader(bytes.subarray(0, where % (bytes.length + 1)), rules);
        if (whole.state === 'complete') expect(whole.headerBytes).toBeLessThanOrEqual(bytes.length);
        if (part.state !== 'incomplete') expect(part).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });
});
