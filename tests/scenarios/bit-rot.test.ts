import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { listedIdsOf, type MeshClient, sentIdOf } from '../kit/mesh-client.ts';
import { bytesOf } from '../kit/recorded-mailbox.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const inline = bytesOf('inline', 0, 2000);
const large = bytesOf('large', 0, 5_000_000);
const firstBody = bytesOf('first', 0, 2000);
const lastBody = bytesOf('last', 0, 200_000);
let home: TemporaryFolder;
let folder: ExchangeFolder;
let server: ExchangeProcess;
let client: MeshClient;

beforeEach(async () => {
  home = await temporaryFolder('rot');
  folder = new ExchangeFolder(home.path);
  folder.addMailboxes(['ROTTEN']);
  await start();
});
afterEach(async () => {
  client.close();
  await server.kill9();
  await home.remove();
});

async function start(): Promise<void> {
  // Found by what it holds: encrypted bytes have tests of their own, in encryption/.
  server = await ExchangeProcess.start({ env: { ...folder.env, OPENMESH_BODY_ENCRYPTION: 'off' } });
  client = folder.client(server.url, 'ROTTEN');
}

async function send(body: Buffer): Promise<string> {
  return sentIdOf(await client.send({ to: 'ROTTEN', workflowId: 'W' }, body));
}

/** Flips one bit in the middle of where `bytes` lie in the files of the exchange, while it is stopped. */
async function flipBitIn(bytes: Buffer): Promise<void> {
  client.close();
  await server.stop();
  const mark = bytes.subarray(bytes.length / 2, bytes.length / 2 + 64);
  const files = readdirSync(folder.data, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const homes = files
    .map((each) => join(each.parentPath, each.name))
    .filter((path) => readFileSync(path).includes(mark));
  expect(homes).toHaveLength(1);
  const path = homes[0] ?? '';
  const content = readFileSync(path);
  const at = content.indexOf(mark);
  content.writeUInt8(content.readUInt8(at) ^ 0b0000_1000, at);
  writeFileSync(path, content);
  await start();
}

describe('one flipped bit at rest', () => {
  it.each([
    ['in the ledger', inline],
    ['in a body file', large],
  ])('%s is never served whole, is named, and harms no other message', async (_where, body) => {
    const first = await send(firstBody);
    const rotten = await send(body);
    const last = await send(lastBody);
    await flipBitIn(body);
    // Either an error, or a connection that ends before the announced length.
    const status = await client.download(rotten).then(
      (reply) => reply.status,
      () => 'cut off',
    );
    expect(status === 'cut off' || Number(status) >= 500).toBe(true);
    expect(server.running).toBe(true);
    expect((await client.download(first)).body.equals(firstBody)).toBe(true);
    expect((await client.download(last)).body.equals(lastBody)).toBe(true);
    expect(listedIdsOf(await client.list())).toEqual([first, rotten, last]);
    expect(folder.command('message', 'show', rotten, '--json')).toMatch(/corrupt/);
  });
});
