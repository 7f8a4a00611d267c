import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLeaks, guardLeaks, openThings } from './leak-guard.ts';
import { temporaryFolder } from './temporary-folder.ts';

guardLeaks();

describe('the leak guard', () => {
  it('finds nothing when everything was closed, however shortly before', async () => {
    const before = openThings();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    expect(await findLeaks(before)).toEqual([]);
  });

  it('names a server, a timer, an open file and a folder left behind', async () => {
    const before = openThings();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const timer = setTimeout(() => undefined, 3_600_000);
    const folder = await temporaryFolder('leak');
    const handle = await open(join(folder.path, 'left'), 'w');
    const leaks = await findLeaks(before, 2);
    expect(leaks.filter((leak) => !isTimer(leak))).toEqual([
      '1 × TCPServerWrap',
      `1 × open file ${join(folder.path, 'left')}`,
      `1 × temporary folder ${folder.path}`,
    ]);
    // On a slow machine a timer of the test runner's own may be counted beside ours.
    expect(leaks.some(isTimer)).toBe(true);
    server.close();
    clearTimeout(timer);
    await handle.close();
    await folder.remove();
  });

  it('takes a timer that keeps no process alive for no leak', async () => {
    const before = openThings();
    const timer = setTimeout(() => undefined, 3_600_000).unref();
    expect(await findLeaks(before)).toEqual([]);
    clearTimeout(timer);
  });
});

function isTimer(leak: string): boolean {
  return leak.endsWith('× Timeout');
}
