import { composeClient } from '@openmesh/client/compose.ts';
import { loadConfig } from '@openmesh/client/config/load-config.ts';
import { untilDone } from '@openmesh/client/mailbox/stopping.ts';
import type { LogLine } from '@openmesh/client/observe/log.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

let exchange: ExchangeInProcess;
let home: TemporaryFolder;
const a = 'X26ABC1';
const b = 'X26ABC2';

beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  home = await temporaryFolder('client');
});
afterAll(async () => {
  await exchange.stop();
  await home.remove();
});

describe('the folder client', () => {
  it('sends a pair from OUT, files it in SENT, and delivers it into the IN of the other mailbox', async () => {
    const folder = new ClientFolder(home.path, { url: exchange.url, mailboxes: [a, b] });
    folder.drop(a, 'LAB00000001', 'Results, Compressed', {
      To_DTS: b,
      Subject: 'Batch 41',
      LocalId: 'LAB-41',
      Compress: 'Y',
    });
    const lines: LogLine[] = [];
    using client = composeClient(loadConfig(folder.configFile, {}), {}, (line) => lines.push(line));
    const [workerA, workerB] = client.workers;
    expect(await workerA?.drain(untilDone())).toEqual({ sent: 1, failed: 0, received: 0 });
    expect(await workerB?.drain(untilDone())).toEqual({ sent: 0, failed: 0, received: 1 });

    expect(folder.list(a, 'OUT')).toEqual([]);
    expect(folder.list(a, 'SENT')).toEqual(['LAB00000001.ctl', 'LAB00000001.dat']);
    const id = elementOf(folder.read(a, 'SENT', 'LAB00000001.ctl'), 'DTSId') ?? '';
    expect(folder.list(b, 'IN')).toEqual([`${id}.ctl`, `${id}.dat`]);
    expect(folder.read(b, 'IN', `${id}.dat`).toString()).toBe('Results, Compressed');
    expect(elementOf(folder.read(b, 'IN', `${id}.ctl`), 'LocalId')).toBe('LAB-41');
    expect(folder.list(a, 'IN')).toEqual(['LAB00000001.ctl']);
    expect(elementOf(folder.read(a, 'IN', 'LAB00000001.ctl'), 'Event')).toBe('COLLECT');
  });
});
