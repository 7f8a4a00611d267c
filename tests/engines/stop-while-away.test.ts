import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf } from '../kit/engines/engine-process.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';

let home: string;
let postgres: PostgresServer;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-stop-away-'));
  postgres = await PostgresServer.start({ durable: true });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** Nothing of the server answers until the end of `work`, and no connection to it breaks: as of a machine that hangs. */
async function whileFrozen<R>(work: () => Promise<R>): Promise<R> {
  const { pid } = postgres;
  signalTo([pid], 'SIGSTOP');
  const children = childrenOf(pid);
  signalTo(children, 'SIGSTOP');
  try {
    return await work();
  } finally {
    signalTo([...children, pid], 'SIGCONT');
  }
}

function signalTo(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

describe('a stop while the database answers nothing', () => {
  it('comes to its end, accepts nothing that is not kept, and the next start has all that was accepted', async () => {
    const folder = new ExchangeFolder(home, undefined, await postgres.createDatabase());
    folder.addMailboxes(['ALICE', 'BOB']);
    const server = await ExchangeProcess.start({ env: { ...folder.env, OPENMESH_SHUTDOWN_SECONDS: '1' } });
    const alice = folder.client(server.url, 'ALICE');
    const send = (): Promise<number> =>
      alice.send({ to: 'BOB', workflowId: 'W' }, Buffer.from('results')).then(({ status }) => status);
    expect(await send()).toBe(202);
    const end = await whileFrozen(async () => {
      const unanswered = send().catch(() => 'cut off' as const);
      process.kill(server.pid, 'SIGTERM');
      const ended = await server.exited;
      expect(await unanswered).not.toBe(202);
      return ended;
    });
    alice.close();
    expect(end).toEqual({ code: 3, signal: null });
    const next = await server.restart();
    const bob = folder.client(next.url, 'BOB');
    const { messages } = JSON.parse((await bob.request('GET', '/inbox')).body.toString()) as { messages: string[] };
    bob.close();
    // The second may have been committed when the server woke up; it was not answered for.
    expect(messages.length).toBeGreaterThanOrEqual(1);
    expect(await next.stop()).toEqual({ code: 0, signal: null });
  });
});
