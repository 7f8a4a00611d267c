import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProxy } from './proxy-ini.ts';
import { ConfigFault } from './raw-settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-proxy-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const read = (): unknown => readProxy(folder, {});
const write = (text: string): void => writeFileSync(join(folder, 'proxy.ini'), text);

describe('proxy.ini', () => {
  it.each([
    ['[proxy]\nhost=proxy.example\nport=8081', 'http://proxy.example:8081'],
    ['ProxyHost = proxy.example\r\nProxyPort = 8081\r\n', 'http://proxy.example:8081'],
    ['; a remark\n# another\nserver: proxy.example', 'http://proxy.example:8080'],
    ['proxy.address=http://proxy.example\nproxy_port=3128', 'http://proxy.example:3128'],
    ['Host=p\nUserName=an@user\nPassword=pä:ss/w', 'http://an%40user:p%C3%A4%3Ass%2Fw@p:8080'],
    ['Host=p\nProxyUser=me', 'http://me:@p:8080'],
  ])('%o is read', (text, proxy) => {
    write(text);
    expect(readProxy(folder, { HTTPS_PROXY: 'http://other:1' })).toBe(proxy);
  });

  it.each(['', '[proxy]\nwhere=there', 'host=\nport=1', 'host=p\nport=many'])(
    '%o is refused with the keys that are read, and without its values',
    (text) => {
      write(text);
      expect(read).toThrow(ConfigFault);
      expect(read).toThrow(/proxy\.ini:1: .*host, server, address.*proxyport.*username.*password/);
      expect(read).not.toThrow(/many|there/);
    },
  );

  it('that does not exist leaves it to HTTPS_PROXY, or to none', () => {
    expect(readProxy(folder, { HTTPS_PROXY: 'http://other:1' })).toBe('http://other:1');
    expect(readProxy(folder, {})).toBeUndefined();
  });
});
