import { randomBytes } from 'node:crypto';
import type { LogEntry, MeshClientOptions, MeshError, SendOutcome } from '@openmesh/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlainService, startPlainService } from '../../kit/plain-service.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { sdkClient } from '../../kit/sdk-client.ts';
import { type ConnectionFault, startTcpProxy, type TcpProxy } from '../../kit/tcp-proxy.ts';

let exchange: ExchangeInProcess;
let plain: PlainService;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
  plain = await startPlainService(exchange.port);
});
afterAll(async () => {
  await plain.close();
  await exchange.stop();
});

let locals = 0;
const message = (): { to: string; workflowId: string; localId: string } => {
  locals += 1;
  return { to: 'X26ABC2', workflowId: 'WF', localId: `local-${locals}` };
};

/** Faults by the number of the connection, counted from 0. */
const through = (faults: (connection: number) => readonly ConnectionFault[], port = exchange.port): Promise<TcpProxy> =>
  startTcpProxy({ target: { host: '127.0.0.1', port }, faults });

const clientOf = (proxy: TcpProxy, more: Partial<MeshClientOptions> = {}) =>
  sdkClient(exchange, 'X26ABC1', { url: `http://127.0.0.1:${proxy.port}`, ...more });

/** One connection for each request, so that faults can be laid on requests. */
const oneByOne = { keepConnections: false };

const arrived = async (localId: string): Promise<number> => {
  const recipient = exchange.client('X26ABC2');
  let count = 0;
  for (const id of JSON.parse((await recipient.list()).body.toString()).messages as string[]) {
    if ((await recipient.head(id)).headers['mex-localid'] === localId) count += 1;
  }
  return count;
};

const cutAnswer: ConnectionFault = { kind: 'cut', direction: 'to-client', afterBytes: 0, how: 'reset' };
const none: readonly ConnectionFault[] = [];

describe('a send whose answer is lost', () => {
  it.each([
    ['by a reset', { ...cutAnswer }],
    ['by an orderly end', { ...cutAnswer, how: 'end' as const }],
    ['in the middle of the answer', { ...cutAnswer, afterBytes: 40 }],
  ])('%s is repeated under the same key, and delivered once', async (_how, fault) => {
    await using proxy = await through((connection) => (connection === 1 ? [fault] : none));
    await using client = await clientOf(proxy, oneByOne);
    await client.handshake();
    const mine = message();
    const sent = await client.send(mine, Buffer.from('payload'));
    expect(sent.kind).toBe('sent');
    expect(proxy.accepted).toBe(3);
    expect(await arrived(mine.localId)).toBe(1);
  });

  it('is a result, not a second message, where the service takes no keys; its local id finds it', async () => {
    await using proxy = await through((connection) => (connection === 1 ? [cutAnswer] : none), plain.port);
    await using client = await clientOf(proxy, oneByOne);
    await client.handshake();
    const mine = message();
    const outcome = await client.send(mine, Buffer.from('payload'));
    expect(outcome).toMatchObject({ kind: 'unknown', mayHaveBeenDelivered: true, idempotencyKey: undefined });
    expect(proxy.accepted).toBe(2);
    expect(await arrived(mine.localId)).toBe(1);
    const resolution = await client.resolveSend(unknownOf(outcome));
    expect(resolution).toMatchObject({ kind: 'arrived', tracking: { status: 'accepted', localId: mine.localId } });
  });

  it.each([
    ['of Latin-1', 'pièce-£1'],
    ['beyond Latin-1', 'Łódź-李-1'],
    ['with a line end and blanks around it', ' ref-1\t\r\n'],
    ['with signs that mean something in an address', 'a/b?c#d%2F+e;f\\g'],
  ])('is found by a local id %s, so that nobody sends it again', async (_kind, localId) => {
    await using proxy = await through((connection) => (connection === 1 ? [cutAnswer] : none), plain.port);
    await using client = await clientOf(proxy, oneByOne);
    await client.handshake();
    const outcome = await client.send({ to: 'X26ABC2', workflowId: 'WF', localId }, Buffer.from('payload'));
    expect(await client.resolveSend(unknownOf(outcome))).toMatchObject({ kind: 'arrived' });
  });

  it('that never reached the service is found not to have', async () => {
    const cut: ConnectionFault = { kind: 'cut', direction: 'to-server', afterBytes: 10, how: 'reset' };
    await using proxy = await through((connection) => (connection === 1 ? [cut] : none), plain.port);
    await using client = await clientOf(proxy, oneByOne);
    await client.handshake();
    const outcome = await client.send(message(), Buffer.from('payload'));
    expect(await client.resolveSend(unknownOf(outcome))).toEqual({ kind: 'not-found' });
  });

  it('of a first chunk can have delivered nothing, and the upload it began can be continued', async () => {
    await using proxy = await through((connection) => (connection === 1 ? [cutAnswer] : none), plain.port);
    await using client = await clientOf(proxy, oneByOne);
    await client.handshake();
    const content = randomBytes(25_000);
    const mine = message();
    const outcome = await client.send(mine, content, { chunkBytes: 10_000 });
    expect(outcome).toMatchObject({ kind: 'unknown', mayHaveBeenDelivered: false });
    expect(await arrived(mine.localId)).toBe(0);
    const resolution = await client.resolveSend(unknownOf(outcome));
    if (resolution.kind !== 'uploading') throw new Error(`it is ${resolution.kind}`);
    expect(await client.resumeSend(content, resolution.state)).toMatchObject({ kind: 'sent' });
    expect(await arrived(mine.localId)).toBe(1);
  });

  it('cannot be resolved without a local id, and is not taken for another message with the same one', async () => {
    await using proxy = await through(
      (connection) => (connection === 2 || connection === 4 ? [cutAnswer] : none),
      plain.port,
    );
    await using client = await clientOf(proxy, oneByOne);
    await client.handshake();
    const mine = message();
    await client.send({ ...mine, workflowId: 'EARLIER' }, Buffer.from('x'));
    const lost = unknownOf(await client.send({ ...mine, localId: undefined }, Buffer.from('payload')));
    expect(await client.resolveSend(lost)).toEqual({ kind: 'undecided', reason: 'no-local-id' });
    const blank = { ...lost, localId: ' \n' };
    expect(await client.resolveSend(blank)).toEqual({ kind: 'undecided', reason: 'no-local-id' });
    const same = { ...lost, localId: mine.localId };
    expect(await client.resolveSend(same)).toEqual({ kind: 'undecided', reason: 'another-message' });
  });
});

describe('a connection that breaks', () => {
  it('in the middle of a chunk costs that chunk only: it alone is sent again', async () => {
    const cut: ConnectionFault = { kind: 'cut', direction: 'to-server', afterBytes: 40_000, how: 'reset' };
    await using proxy = await through((connection) => (connection === 3 ? [cut] : none));
    const log: LogEntry[] = [];
    await using client = await clientOf(proxy, { ...oneByOne, log: (entry) => void log.push(entry) });
    const content = randomBytes(500_000);
    const mine = message();
    const sent = await client.send(mine, content, { chunkBytes: 100_000, parallelChunks: 1 });
    if (sent.kind !== 'sent') throw sent.cause;
    expect(log.map(({ event }) => event)).toEqual(['retrying']);
    // The handshake, five chunks, and one of them again.
    expect(proxy.accepted).toBe(7);
    const [download] = [await exchange.client('X26ABC2').downloadChunk(sent.messageId, 3)];
    expect(download.body.equals(content.subarray(200_000, 300_000))).toBe(true);
  });

  it.each(['as-stored', 'gzip'] as const)(
    'in the middle of a download goes on where it broke off, byte for byte (%s)',
    async (transfer) => {
      const content = randomBytes(300_000);
      await using direct = await sdkClient(exchange, 'X26ABC1');
      const sent = await direct.send(message(), content, { chunkBytes: 100_000 });
      if (sent.kind !== 'sent') throw sent.cause;
      const cuts = [undefined, 50_000, 0, 99_000, undefined, 20_000];
      await using proxy = await through((connection) => {
        const afterBytes = cuts[connection];
        return afterBytes === undefined ? none : [{ kind: 'cut', direction: 'to-client', afterBytes, how: 'reset' }];
      });
      await using client = await sdkClient(exchange, 'X26ABC2', {
        url: `http://127.0.0.1:${proxy.port}`,
        ...oneByOne,
      });
      const blocks: Buffer[] = [];
      for await (const block of await client.download(sent.messageId, { transfer })) blocks.push(block);
      expect(Buffer.concat(blocks).equals(content)).toBe(true);
      expect(proxy.accepted).toBeGreaterThanOrEqual(6);
    },
  );

  it('in silence is given up after the idle limit, as a request that may have taken effect if it was one that can', async () => {
    await using proxy = await through(() => [{ kind: 'half-open', direction: 'to-server', afterBytes: 0 }]);
    await using client = await clientOf(proxy, { limits: { idleMs: 1000 }, retry: { attempts: 1 } });
    const asked: unknown = await client.count().catch((thrown: MeshError) => thrown);
    expect(asked).toMatchObject({ code: 'timed-out', class: 'ambiguous', operation: 'count' });
    const shaken: unknown = await client.handshake().catch((thrown: MeshError) => thrown);
    expect(shaken).toMatchObject({ code: 'timed-out', class: 'transient', operation: 'handshake' });
  });

  it('before anything was sent leaves no doubt, and is tried again as often as the policy says', async () => {
    const closed = await through(() => none);
    await closed.close();
    const waits: number[] = [];
    const surroundings = { random: () => 0.5, wait: (ms: number) => Promise.resolve(void waits.push(ms)) };
    await using client = await clientOf(closed, { retry: { attempts: 4, delayMsMax: 1500 }, surroundings });
    const error: unknown = await client.send(message(), Buffer.from('x')).catch((thrown: MeshError) => thrown);
    expect(error).toMatchObject({ code: 'connection-failed', class: 'transient', whoCanFix: 'operator' });
    expect(waits).toEqual([250, 500, 750]);
  });
});

function unknownOf(outcome: SendOutcome): Extract<SendOutcome, { kind: 'unknown' }> {
  if (outcome.kind !== 'unknown') throw new Error('the outcome is known');
  return outcome;
}
