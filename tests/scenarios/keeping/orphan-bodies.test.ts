import { readdir } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

guardLeaks();

const dayMs = 86_400_000;
const half = Buffer.alloc(1024 * 1024, 'half of a body ');

let exchange: ExchangeInProcess;
beforeEach(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
});
afterEach(() => exchange.stop());

async function bodyFiles(): Promise<number> {
  const entries = await readdir(exchange.bodiesFolder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

async function send(body: Buffer | AsyncIterable<Uint8Array>): Promise<string> {
  return sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, body));
}

/** A body that comes in two halves; `between` is done when the file of the first half is there. */
async function* inHalves(between: () => Promise<void>): AsyncGenerator<Uint8Array> {
  yield half;
  while ((await bodyFiles()) === 0) await turn();
  await between();
  yield half;
}

describe('the sweep of bytes that no row names', () => {
  it('removes what a crash left when it is a day old, and nothing that a message names', async () => {
    const sink = await exchange.rooms.bodies.create();
    await sink.write(half);
    await sink.finish();
    const id = await send(half);
    await exchange.rooms.clockwork.runAll();
    expect(await bodyFiles()).toBe(2);
    exchange.clock.advance(2 * dayMs);
    await exchange.rooms.clockwork.runAll();
    expect(await bodyFiles()).toBe(1);
    expect((await exchange.client('X26ABC2').download(id)).body.equals(half)).toBe(true);
  });

  it.each([3, -3])('leaves a body alone that is on its way while the machine clock is set by %i days', async (days) => {
    const id = await send(
      inHalves(async () => {
        exchange.clock.set(days * dayMs);
        await exchange.rooms.clockwork.runAll();
        expect(await bodyFiles()).toBe(1);
      }),
    );
    const { status, body } = await exchange.client('X26ABC2').download(id);
    expect([status, body.equals(Buffer.concat([half, half]))]).toEqual([200, true]);
  });

  it('leaves alone what is older than the ledger: bodies of one that is away, in whose place a new one was made', async () => {
    const id = await send(half);
    const settings = { OPENMESH_BODIES: `file:${exchange.bodiesFolder}` };
    await using forgetful = await ExchangeInProcess.start({ tls: 'off', settings });
    const sink = await forgetful.rooms.bodies.create();
    await sink.write(half);
    await sink.finish();
    expect(await bodyFiles()).toBe(2);
    forgetful.clock.advance(2 * dayMs);
    await forgetful.rooms.clockwork.runAll();
    expect(await bodyFiles()).toBe(1);
    expect((await exchange.client('X26ABC2').download(id)).body.equals(half)).toBe(true);
  });

  it('removes what a crash left also when the machine clock was set forward, once it has been right for long', async () => {
    const sink = await exchange.rooms.bodies.create();
    await sink.write(half);
    await sink.finish();
    exchange.clock.set(300 * dayMs);
    for (let day = 0; day < 4; day += 1) {
      await exchange.rooms.clockwork.runAll();
      exchange.clock.advance(dayMs);
    }
    await exchange.rooms.clockwork.runAll();
    expect(await bodyFiles()).toBe(0);
  });
});
