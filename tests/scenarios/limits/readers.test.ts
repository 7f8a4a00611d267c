import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type MeshClient, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

/** Room for two blocks of bodies that are being read: fewer than there are readers here. */
const settings = { OPENMESH_BLOCK_POOL_MEBIBYTES: '16' };
const readers = 6;
/** More than the system keeps for a connection whose other end takes nothing. */
const body = randomBytes(24 * 1024 * 1024);

/** Files of bodies that this process holds open. */
function openFilesIn(folder: string): readonly string[] {
  const files = readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      // The one the folder was read through.
      return [];
    }
  });
  return files.filter((file) => file.startsWith(folder));
}

describe.runIf(process.platform === 'linux')('the memory that large bodies are read into', () => {
  let exchange: ExchangeInProcess;
  let client: MeshClient;
  let id: string;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    client = exchange.client('X26ABC1');
    id = sentIdOf(await client.send({ to: 'X26ABC1', workflowId: 'WF' }, body));
  });
  afterAll(() => exchange.stop());

  const expectServed = async (): Promise<void> => {
    const reply = await client.download(id);
    expect([reply.status, reply.body.equals(body)]).toEqual([200, true]);
  };

  /** A connection that asks for the message and reads nothing of it. */
  const askAndStopReading = async (more: string): Promise<Socket> => {
    const socket = connect(exchange.port, '127.0.0.1');
    socket.pause();
    await once(socket, 'connect');
    const lines = [`GET /messageexchange/X26ABC1/inbox/${id} HTTP/1.1`, 'host: x', more];
    const request = `${[...lines, `authorization: ${client.authorization()}`].join('\r\n')}\r\n\r\n`;
    await new Promise((resolve) => void socket.write(request, resolve));
    return socket;
  };

  it.each([
    ['as it is', 'x-nothing: more'],
    ['squeezed', 'accept: application/vnd.mesh.v2+json\r\naccept-encoding: gzip'],
  ])('serves others while more callers than it has room for stop reading what they get %s', async (_how, more) => {
    const stopped: Socket[] = [];
    for (let n = 0; n < readers; n += 1) stopped.push(await askAndStopReading(more));
    await expectServed();
    for (const socket of stopped) socket.destroy();
    await expectServed();
  });

  it('comes back from downloads whose token could not be written down', async () => {
    const unavailable = Object.assign(new Error('the ledger is away'), { kind: 'unavailable' });
    const claim = vi.spyOn(exchange.rooms.ledger.nonces, 'claim');
    for (let n = 0; n < readers; n += 1) {
      claim.mockRejectedValueOnce(unavailable);
      expect((await client.download(id)).status).toBe(503);
    }
    claim.mockRestore();
    await expectServed();
    // Of those that left before, too.
    await vi.waitFor(() => expect(openFilesIn(exchange.bodiesFolder)).toEqual([]), { timeout: 30_000 });
  });

  it('comes back from downloads with a token that was used before', async () => {
    const authorization = client.authorization();
    expect((await client.count({ authorization })).status).toBe(200);
    for (let n = 0; n < readers; n += 1) expect((await client.download(id, { authorization })).status).toBe(403);
    await expectServed();
  });
});
