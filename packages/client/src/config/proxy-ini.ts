import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeText } from '../xml/decode-text.ts';
import type { Environment } from './build-config.ts';
import { ConfigFault } from './raw-settings.ts';

const synonyms = {
  host: ['host', 'server', 'address', 'proxyhost', 'proxyserver', 'proxyaddress'],
  port: ['port', 'proxyport'],
  user: ['user', 'username', 'proxyuser', 'proxyusername'],
  password: ['password', 'proxypassword', 'proxypass'],
} as const;

/**
 * The proxy to go through, as `http://[user:password@]host:port`: that of `proxy.ini` where the file exists, else of
 * HTTPS_PROXY. Undefined for none. Throws a ConfigFault for a file that names no host.
 */
export function readProxy(proxyFolder: string, env: Environment): string | undefined {
  const file = join(proxyFolder, 'proxy.ini');
  if (!existsSync(file)) return env['HTTPS_PROXY'] || env['https_proxy'] || undefined;
  const values = readIni(decodeText(readFileSync(file)).text);
  const value = (name: keyof typeof synonyms): string | undefined =>
    synonyms[name].map((key) => values.get(key)).find((found) => found !== undefined && found !== '');
  const host = value('host');
  const port = value('port') ?? '8080';
  if (host === undefined || !/^\d{1,5}$/.test(port)) {
    const keys = Object.values(synonyms).flat().join(', ');
    throw new ConfigFault([
      { file, line: 1, setting: '', problem: `names no proxy host and port; keys that are read: ${keys}` },
    ]);
  }
  const user = value('user');
  const login = user === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(value('password') ?? '')}@`;
  return `http://${login}${host.replace(/^https?:\/\//, '')}:${port}`;
}

/** Keys in lower case and without separators, whatever section they stand in. */
function readIni(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^;#[=:\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (match !== null) values.set((match[1] ?? '').toLowerCase().replace(/[\s._-]/g, ''), match[2] ?? '');
  }
  return values;
}
