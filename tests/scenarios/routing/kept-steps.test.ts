import { parseMessageId } from '@openmesh/protocol';
import { expect, it } from 'vitest';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ruleOf } from '../../kit/routing-cases.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

guardLeaks();

const dayMs = 86_400_000;

it('what rules did to a message is kept as long as its record, and longer than its texts', async () => {
  const mailboxes = ['SENDER', 'RECIP', 'TARGET'].map((id) => ({ id }));
  await using exchange = await ExchangeInProcess.start({ tls: 'off', seeds: { mailboxes } });
  const nowMs = exchange.clock.nowMs();
  await exchange.change({
    rules: [ruleOf({ id: 'move', action: 'redirect', to: 'TARGET', ifRecipient: 'RECIP' }, nowMs)],
  });
  const sent = await exchange.client('SENDER').send({ to: 'RECIP', workflowId: 'WF', localId: 'L1' }, 'x');
  const id = sentIdOf(sent);
  await exchange.client('TARGET').acknowledge(id);
  const { ledger, clockwork, config } = exchange.rooms;
  exchange.clock.advance((config.retention.hideDays + 1) * dayMs);
  await clockwork.runAll();
  const redirected = (await exchange.timeline(id)).find(({ kind }) => kind === 'redirected');
  expect(redirected?.detail).toMatch(/rule move version 1/);
  expect(redirected?.detail).toContain('recipient');
  exchange.clock.advance((config.retention.recordRetentionDays + 1) * dayMs);
  await clockwork.runAll();
  const messageId = parseMessageId(id);
  expect(messageId === undefined ? undefined : await ledger.messages.find(messageId)).toBeNull();
});
