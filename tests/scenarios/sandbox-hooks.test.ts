import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { RunningSandbox } from '../kit/running-sandbox.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder('hooks');
});

afterEach(() => folder.remove());

interface Told {
  readonly event: string;
  readonly args: { readonly message?: { readonly message_id?: string; readonly recipient: string } };
  readonly error?: { readonly name: string };
}

let modules = 0;

/** Starts a sandbox with a module of hooks; `body` is that of `onEvent(event, args, error)`. */
async function startWith(triggers: readonly string[], body: string): Promise<RunningSandbox> {
  modules += 1;
  // Node keeps every module it has loaded, by its name.
  const file = join(folder.path, `hooks-${modules}.mjs`);
  const text = `export const triggers = ${JSON.stringify(triggers)};
    export async function onEvent(event, args, error) { ${body} }`;
  await writeFile(file, text);
  return RunningSandbox.start({ dataFolder: folder.path, env: { OPENMESH_SANDBOX_HOOKS: file } });
}

/** What hooks tell this test: they run in its process. */
function listen(name: string): Told[] {
  const told: Told[] = [];
  Object.assign(globalThis, { [name]: told });
  return told;
}

const every = ['send_message', 'save_chunk', 'save_message', 'accept_message', 'acknowledge_message'];
const events = every.flatMap((move) => [`before_${move}`, `after_${move}`, `${move}_error`]);
const note = (name: string): string => `globalThis.${name}.push(structuredClone({ event, args, error }));`;
const to = { to: 'X26ABC2', workflowId: 'WF1' };

describe('hooks', () => {
  it('are told of every move, before and after, in the order of the official plugins', async () => {
    const told = listen('toldAll');
    await using sandbox = await startWith(events, note('toldAll'));
    const id = sentIdOf(await sandbox.client('X26ABC1').send(to, 'hello'));
    await sandbox.client('X26ABC2').acknowledge(id);
    expect(told.map(({ event }) => event)).toEqual([
      'before_send_message',
      'before_save_chunk',
      'before_save_message',
      'before_accept_message',
      'after_accept_message',
      'after_save_message',
      'after_save_chunk',
      'after_send_message',
      'before_acknowledge_message',
      'after_acknowledge_message',
    ]);
    expect(told[0]?.args.message).toMatchObject({ sender: 'X26ABC1', recipient: 'X26ABC2', workflow_id: 'WF1' });
    expect(told[7]?.args.message?.message_id).toBe(id);
  });

  it('are told of the chunks of a message', async () => {
    const told = listen('toldChunks');
    await using sandbox = await startWith(['before_save_chunk', 'after_save_chunk'], note('toldChunks'));
    const client = sandbox.client('X26ABC1');
    const id = sentIdOf(await client.send({ ...to, chunkRange: '1:2' }, 'one'));
    await client.sendChunk(id, 2, 2, 'two');
    expect(told.map(({ event, args }) => [event, (args as { chunk_number?: number }).chunk_number])).toEqual([
      ['before_save_chunk', 1],
      ['after_save_chunk', 1],
      ['before_save_chunk', 2],
      ['after_save_chunk', 2],
    ]);
  });

  it('may change a message before it is sent', async () => {
    const change = `args.message.recipient = 'X26ABC3'; args.message.workflow_id = 'CHANGED';
      args.message.metadata.subject = 'a\\r\\nb'; args.message.metadata.local_id = null;`;
    await using sandbox = await startWith(['before_send_message'], change);
    const id = sentIdOf(await sandbox.client('X26ABC1').send({ ...to, localId: 'l1' }, 'hello'));
    expect(listedIdsOf(await sandbox.client('X26ABC3').list())).toEqual([id]);
    const { headers } = await sandbox.client('X26ABC3').download(id);
    expect(headers).toMatchObject({ 'mex-workflowid': 'CHANGED', 'mex-subject': 'a  b' });
    expect(headers).not.toHaveProperty('mex-localid');
  });

  it('may refuse a move with an error of the catalogue, and nothing is kept', async () => {
    const told = listen('toldRefused');
    const body = `${note('toldRefused')} if (event === 'before_save_message') return { refuse: 'unregistered-recipient' };`;
    await using sandbox = await startWith(['before_save_message', 'send_message_error'], body);
    const reply = await sandbox.client('X26ABC1').send(to, 'hello');
    expect([reply.status, reply.body.toString()]).toEqual([417, expect.stringContaining('"12"')]);
    expect(listedIdsOf(await sandbox.client('X26ABC2').list())).toEqual([]);
    expect(told.at(-1)).toMatchObject({ event: 'send_message_error', error: { name: 'unregistered-recipient' } });
  });

  it('are told when a move fails', async () => {
    const told = listen('toldFailed');
    await using sandbox = await startWith(['send_message_error', 'acknowledge_message_error'], note('toldFailed'));
    await sandbox.client('X26ABC1').send({ ...to, to: 'NOBODY' }, 'hello');
    await sandbox.client('X26ABC1').acknowledge('NO_SUCH');
    expect(told.map(({ event, error }) => [event, error?.name])).toEqual([
      ['send_message_error', 'unregistered-recipient'],
      ['acknowledge_message_error', 'message-does-not-exist'],
    ]);
  });

  it('that throw before a move fail it; afterwards they change no answer', async () => {
    {
      await using sandbox = await startWith(['before_send_message'], `throw new Error('no');`);
      expect((await sandbox.client('X26ABC1').send(to, 'hello')).status).toBe(500);
      expect(listedIdsOf(await sandbox.client('X26ABC2').list())).toEqual([]);
    }
    await using sandbox = await startWith(['after_send_message'], `throw new Error('no');`);
    expect((await sandbox.client('X26ABC1').send(to, 'hello')).status).toBe(202);
  });

  it.each([
    ['that is not there', undefined, 'cannot be loaded'],
    ['without triggers', 'export const onEvent = () => undefined;', 'must export'],
    [
      'with a trigger nobody knows',
      'export const triggers = ["before_lunch"]; export const onEvent = () => 1;',
      'unknown',
    ],
  ])('in a module %s refuse the start', async (_what, text, problem) => {
    modules += 1;
    const file = join(folder.path, `hooks-${modules}.mjs`);
    if (text !== undefined) await writeFile(file, text);
    const env = { OPENMESH_SANDBOX_HOOKS: file };
    await expect(RunningSandbox.start({ dataFolder: folder.path, env })).rejects.toThrow(problem);
  });
});

describe('webhooks', () => {
  it('are posted every event, in order, without being waited for', async () => {
    const posted: Told[] = [];
    const done = Promise.withResolvers<void>();
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      request.on('end', () => {
        posted.push(JSON.parse(text) as Told);
        response.end();
        if (posted.length === 8) done.resolve();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const env = { OPENMESH_SANDBOX_WEBHOOKS: `http://127.0.0.1:${port}/told` };
    {
      await using sandbox = await RunningSandbox.start({ dataFolder: folder.path, env });
      expect((await sandbox.client('X26ABC1').send(to, 'hello')).status).toBe(202);
      await done.promise;
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(posted.map(({ event }) => event).slice(-1)).toEqual(['after_send_message']);
    expect(posted[0]).toMatchObject({ event: 'before_send_message', message: { recipient: 'X26ABC2' } });
  });

  it('that cannot be reached change no answer', async () => {
    const env = { OPENMESH_SANDBOX_WEBHOOKS: 'http://127.0.0.1:9/' };
    await using sandbox = await RunningSandbox.start({ dataFolder: folder.path, env });
    expect((await sandbox.client('X26ABC1').send(to, 'hello')).status).toBe(202);
  });

  it('beyond this machine have to be permitted', async () => {
    const env = { OPENMESH_SANDBOX_WEBHOOKS: 'https://example.org/told' };
    await expect(RunningSandbox.start({ dataFolder: folder.path, env })).rejects.toThrow('is not this machine');
    const permitted = { ...env, OPENMESH_SANDBOX_WEBHOOKS_ANYWHERE: 'yes' };
    await using sandbox = await RunningSandbox.start({ dataFolder: folder.path, env: permitted });
    expect(sandbox.url).toContain('127.0.0.1');
  });
});
