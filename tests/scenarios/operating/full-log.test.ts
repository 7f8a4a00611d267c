import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../../kit/exchange-folder.ts';
import { ExchangeProcess } from '../../kit/exchange-process.ts';

let home: string;
let full: number;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-full-log-'));
  full = openSync('/dev/full', 'w');
});
afterEach(() => {
  closeSync(full);
  rmSync(home, { recursive: true, force: true });
});

describe('a log that cannot be written, for its disk is full', () => {
  it('stops neither the exchange nor its orderly end', async () => {
    const folder = new ExchangeFolder(home);
    mkdirSync(folder.data);
    folder.addMailboxes(['ALICE', 'BOB']);
    const env = { ...folder.env, OPENMESH_LOG_LEVEL: 'debug' };
    const server = await ExchangeProcess.start({ env, stdout: full });
    const alice = folder.client(server.url, 'ALICE');
    try {
      for (let n = 0; n < 5; n += 1) {
        const sent = await alice.send({ to: 'BOB', workflowId: 'W' }, Buffer.from('results'));
        expect(sent.status).toBe(202);
      }
    } finally {
      alice.close();
    }
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});
