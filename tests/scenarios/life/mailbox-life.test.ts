import { assert, asyncModelRun, asyncProperty, commands } from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { expectInbox, lifeCommands, RealMailboxes } from './mailbox-commands.ts';
import { MailboxModel } from './mailbox-model.ts';

const runs = 10;
const commandsMax = 40;

describe('the life of mailboxes, as a model tells it', () => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ tls: 'off', settings: { OPENMESH_INLINE_BODY_BYTES_MAX: '1000' } });
  });
  afterAll(() => exchange.stop());

  it('whatever is done in whatever order: nobody else’s, in order, none lost, none twice, over restarts', async () => {
    let lives = 0;
    await assert(
      asyncProperty(commands(lifeCommands, { maxCommands: commandsMax, size: 'max' }), async (moves) => {
        lives += 1;
        const mailboxes = ['A', 'B', 'C'].map((letter) => `LIFE${lives}${letter}`);
        await exchange.change({ mailboxes: mailboxes.map((id) => ({ id })) });
        const model = new MailboxModel(mailboxes);
        const real = new RealMailboxes(exchange);
        await asyncModelRun(() => ({ model, real }), moves);
        for (const mailbox of mailboxes) await expectInbox(model, real, mailbox);
      }),
      { numRuns: runs, endOnFailure: false },
    );
  }, 120_000);
});
