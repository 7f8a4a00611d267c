import { workflowDefaults } from '@openmesh/exchange/store/ledger/registry.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

let exchange: ExchangeInProcess;
beforeEach(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await exchange.stop();
});

const audit = { atMs: 0, actor: 'another node', action: 'change', subject: 'registry', detail: '{}' };
const workflow = (sizeBytesMax: number | null, status: 'live' | 'draft' = 'live') => ({
  audit,
  workflows: [{ ...workflowDefaults, workflowId: 'WF', status, sizeBytesMax }],
});

async function send(): Promise<number> {
  return (await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, 'ten bytes!')).status;
}

it('a message is not refused for a size that another node has allowed since', async () => {
  const { ledger, registry } = exchange.rooms;
  await ledger.registry.change(workflow(9));
  await registry.reload();
  expect(await send()).not.toBe(202);
  await ledger.registry.change(workflow(10));
  expect(await send()).toBe(202);
});

it('a message is not refused on a version of the registry that somebody else replaced while the ledger was asked', async () => {
  const { ledger, registry } = exchange.rooms;
  await ledger.registry.change(workflow(null, 'draft'));
  await registry.reload();
  await ledger.registry.change(workflow(null));
  const version = ledger.registry.version.bind(ledger.registry);
  vi.spyOn(ledger.registry, 'version').mockImplementation(async () => {
    const found = await version();
    await registry.reload();
    return found;
  });
  expect(await send()).toBe(202);
});
