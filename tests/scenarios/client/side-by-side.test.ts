import { renameSync, rmSync } from 'node:fs';
import { setTimeout as slowly } from 'node:timers/promises';
import { loadConfig } from '@openmesh/client/config/load-config.ts';
import { LockedByAnother, lockRoot } from '@openmesh/client/mailbox/root-lock.ts';
import { runClient } from '@openmesh/client/run-client.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientFolder } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { type ScriptedServiceOptions, startScriptedService, taken } from '../../kit/scripted-service.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
/** How long the service takes over a send, so that everything else that may go wrong has gone wrong by then. */
const slowMs = 400;
let home: TemporaryFolder;
let folder: ClientFolder;
beforeEach(async () => {
  home = await temporaryFolder('client');
});
afterEach(() => home.remove());

async function make(options: ScriptedServiceOptions, mailboxes: readonly string[] = [a]) {
  const service = await startScriptedService(options);
  folder = new ClientFolder(home.path, {
    url: service.url,
    mailboxes,
    settings: { ServerRetry: '1', ControlGraceSeconds: '0' },
    mailboxSettings: { ParallelSends: '2' },
  });
  return service;
}

describe('a send that is under way is waited for, and its pair not sent again', () => {
  it('when the folders refuse the pair beside it', async () => {
    await using service = await make({
      async onSend(localId, nth) {
        if (localId === 'SLOW') await slowly(slowMs);
        if (localId !== 'BAD') return taken(nth);
        rmSync(folder.path(a, 'TEMP', '.openmesh'), { recursive: true });
        return { status: 417, json: { errorCode: '02', errorEvent: 'SEND', errorDescription: 'refused' } };
      },
    });
    folder.drop(a, 'A1', 'bytes', { To_DTS: b, LocalId: 'SLOW' });
    folder.drop(a, 'A2', 'bytes', { To_DTS: b, LocalId: 'BAD' });
    const broken = await clientRound(folder);
    expect(broken.mailboxes[a]).toBe('a file or folder refused (ENOENT)');
    await clientRound(folder);
    expect(service.sends.filter((localId) => localId === 'SLOW')).toHaveLength(1);
    expect(folder.list(a, 'SENT')).toEqual(['A1.ctl', 'A1.dat']);
  });

  it('when a round ends because of the inbox', async () => {
    await using service = await make({
      inboxStatus: 403,
      async onSend(_localId, nth) {
        await slowly(slowMs);
        return taken(nth);
      },
    });
    folder.drop(a, 'A1', 'bytes', { To_DTS: b, LocalId: 'SLOW' });
    await clientRound(folder);
    await clientRound(folder);
    expect(service.sends).toEqual(['SLOW']);
    expect(folder.list(a, 'SENT')).toEqual(['A1.ctl', 'A1.dat']);
  });

  it('when another process turns out to work on the folder of another mailbox', async () => {
    const aside = (): string => `${folder.path(b, '')}.away`;
    await using service = await make(
      {
        async onSend(_localId, nth) {
          // The share with the other mailbox comes back, and somebody else is there.
          renameSync(aside(), folder.path(b, ''));
          lock = lockRoot(folder.path(b, 'TEMP'), 0);
          await slowly(slowMs + 1500);
          return taken(nth);
        },
      },
      [a, b],
    );
    let lock: Disposable | undefined;
    renameSync(folder.path(b, ''), aside());
    folder.drop(a, 'A1', 'bytes', { To_DTS: b, LocalId: 'SLOW' });
    const running = runClient({
      config: loadConfig(folder.configFile, {}),
      env: {},
      stdout: undefined,
      ready: () => undefined,
    });
    await expect(running).rejects.toThrow(LockedByAnother);
    lock?.[Symbol.dispose]();
    await clientRound(folder);
    expect(service.sends).toEqual(['SLOW']);
    expect(folder.list(a, 'SENT')).toEqual(['A1.ctl', 'A1.dat']);
  });
});
