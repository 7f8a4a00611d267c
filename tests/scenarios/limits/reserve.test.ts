import { nodeFileSystem } from '@openmesh/exchange/store/disk/file-system.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

let exchange: ExchangeInProcess | undefined;
afterEach(() => exchange?.stop());

describe('the reserve of free space', () => {
  it.each(['dataFolder', 'bodiesFolder'] as const)(
    'is kept where the %s lies, though ledger and bodies have file systems of their own: sending stops, collecting goes on',
    async (folder) => {
      let isFull = false;
      const fileSystem = {
        ...nodeFileSystem,
        freeBytes: (path: string): Promise<number> =>
          Promise.resolve(isFull && path === started[folder] ? 0 : Number.MAX_SAFE_INTEGER),
      };
      const started = await ExchangeInProcess.start({ tls: 'off', fileSystem });
      exchange = started;
      const send = (bytes: number) =>
        started.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, Buffer.alloc(bytes, 'r'));
      const ids = [sentIdOf(await send(2000)), sentIdOf(await send(200_000))];
      isFull = true;
      // A measurement is believed for a while.
      started.clock.advance(2000);
      for (const bytes of [2000, 200_000]) {
        const refused = await send(bytes);
        expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
      }
      expect((await fetch(`http://127.0.0.1:${started.running.operatorsPort}/ready`)).status).toBe(503);
      for (const id of ids) {
        expect((await started.client('X26ABC2').download(id)).status).toBe(200);
        expect((await started.client('X26ABC2').acknowledge(id)).status).toBe(200);
      }
      isFull = false;
      started.clock.advance(2000);
      for (const bytes of [2000, 200_000]) expect((await send(bytes)).status).toBe(202);
    },
  );
});
