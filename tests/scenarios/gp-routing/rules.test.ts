import { afterAll, beforeAll, expect, it } from 'vitest';
import { GpExchange, gpWorkflow, organisationOf } from '../../kit/gp-exchange.ts';
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

it('sends the report of an address that leads nowhere where rules take the sender’s reports', async () => {
  const { exchange } = gp;
  const way = { to: 'X27GP001', ifRecipient: 'X26ABC1', reports: true } as const;
  const moved = ruleOf({ id: 'reports-move', action: 'redirect', ...way }, exchange.clock.nowMs());
  await exchange.change({ rules: [moved] });
  const before = await gp.inbox('X27GP001');
  const failed = await gp.send('GPPROVIDER_9990000026_19800229_REGISTERED');
  await gp.work();
  expect(await gp.tracking(failed)).toMatchObject({ status: 'error' });
  expect(await gp.reports()).toEqual([]);
  const [report, ...more] = (await gp.inbox('X27GP001')).filter((id) => !before.includes(id));
  expect(more).toEqual([]);
  const { headers } = await exchange.client('X27GP001').download(report ?? '');
  expect(headers).toMatchObject({ 'mex-messagetype': 'REPORT', 'mex-linkedmsgid': failed });
});

it('holds a message to the largest size of its workflow, as one that is addressed to the practice itself', async () => {
  const { exchange } = gp;
  const workflow = exchange.rooms.registry.current().workflow(gpWorkflow);
  if (workflow === undefined) throw new Error('the workflow is seeded');
  await exchange.change({ workflows: [{ ...workflow, sizeBytesMax: 3 }] });
  const large = await gp.send(address);
  await gp.work();
  expect(await gp.tracking(large)).toMatchObject({ status: 'error', status_code: 'MessageTooLarge' });
});
