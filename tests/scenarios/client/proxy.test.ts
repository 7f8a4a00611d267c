import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClientFolder } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { startConnectProxy } from '../../kit/connect-proxy.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const a = 'X26ABC1';
const b = 'X26ABC2';
let exchange: ExchangeInProcess;
let home: TemporaryFolder;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  home = await temporaryFolder('client-proxy');
});
afterAll(async () => {
  await exchange.stop();
  await home.remove();
});

function folderBehind(name: string, port: number, credentials = ''): ClientFolder {
  const proxies = join(home.path, `${name}-proxy`);
  mkdirSync(proxies, { recursive: true });
  writeFileSync(join(proxies, 'proxy.ini'), `host=127.0.0.1\nport=${port}\n${credentials}`);
  const settings = { ProxyPath: proxies };
  return new ClientFolder(join(home.path, name), { url: exchange.url, mailboxes: [a, b], settings });
}

it('sends and fetches through the proxy that proxy.ini names, with the name and password in it', async () => {
  await using proxy = await startConnectProxy({ credentials: 'clerk:word' });
  const folder = folderBehind('through', proxy.port, 'user=clerk\npassword=word\n');
  folder.drop(a, 'LAB00000001', 'through a proxy', { To_DTS: b });
  const { mailboxes } = await clientRound(folder);
  expect(mailboxes).toEqual({ [a]: { sent: 1, failed: 0, received: 0 }, [b]: { sent: 0, failed: 0, received: 1 } });
  expect(new Set(proxy.asked)).toEqual(new Set([new URL(exchange.url).host]));
});

it('keeps a pair in OUT, and never goes around, while the proxy refuses it', async () => {
  await using proxy = await startConnectProxy({ credentials: 'clerk:word' });
  const folder = folderBehind('refused', proxy.port, 'user=clerk\npassword=wrong\n');
  folder.drop(a, 'LAB00000002', 'not sent', { To_DTS: b });
  await clientRound(folder);
  expect(folder.list(a, 'OUT')).toContain('LAB00000002.dat');
  expect(folder.list(a, 'SENT')).toEqual([]);
  expect(folder.list(a, 'IN')).toEqual([]);
  expect(proxy.asked.length).toBeGreaterThan(0);
});
