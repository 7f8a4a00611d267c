import { afterAll, beforeAll, expect, it } from 'vitest';
import { GpExchange, organisationOf } from '../../kit/gp-exchange.ts';
import { ruleOf } from '../../kit/routing-cases.ts';

const address = 'GPPROVIDER_9990000018_19800229_REGISTERED';

let gp: GpExchange;
beforeAll(async () => {
  gp = await GpExchange.start();
  await gp.exchange.rooms.ledger.directory.put({ atMs: 0, organisations: [organisationOf('X26')], links: [] });
});
afterAll(() => gp[Symbol.asyncDispose]());

async function copiesOf(messageId: string): Promise<readonly string[]> {
  const kin = await gp.exchange.rooms.ledger.routing.family({ messageId: messageId as never, limit: 10 });
  return kin.filter(({ madeAs }) => madeAs === 'copy').map((copy) => `${copy.recipient} ${copy.addressedTo}`);
}

it('applies rules to the mailbox that a patient’s address is resolved to, and not before', async () => {
  const { exchange } = gp;
  const nowMs = exchange.clock.nowMs();
  const target = exchange.rooms.registry
    .current()
    .mailboxes()
    .find(({ mailboxId }) => mailboxId === 'X27GP001');
  expect(target?.state).toBe('active');
  const copied = ruleOf({ id: 'gp-copy', action: 'copy', to: 'X27GP001', ifRecipient: 'X26ABC2' }, nowMs);
  await exchange.change({ rules: [copied] });
  const first = await gp.send(address);
  expect(await copiesOf(first)).toEqual([]);
  await gp.work();
  expect(await gp.inbox('X26ABC2')).toContain(first);
  expect(await copiesOf(first)).toEqual(['X27GP001 X26ABC2']);

  const moved = ruleOf({ id: 'gp-move', action: 'redirect', to: 'X27GP001', ifRecipient: 'X26ABC2' }, nowMs);
  await exchange.change({ rules: [moved] });
  const second = await gp.send(address);
  await gp.work();
  expect(await gp.inbox('X26ABC2')).not.toContain(second);
  expect(await gp.inbox('X27GP001')).toContain(second);
  expect(await gp.tracking(second)).toMatchObject({ status: 'accepted', recipient: 'X26ABC2' });
  expect(await copiesOf(second)).toEqual([]);
});
