import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { type ScriptedServiceOptions, startScriptedService, taken } from '../../kit/scripted-service.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
let home: TemporaryFolder;
let folder: ClientFolder;
beforeEach(async () => {
  home = await temporaryFolder('client');
});
afterEach(() => home.remove());

async function make(options: ScriptedServiceOptions = {}) {
  const service = await startScriptedService(options);
  const settings = { ServerRetry: '1', ControlGraceSeconds: '0', PairTimeoutMinutes: '0' };
  folder = new ClientFolder(home.path, { url: service.url, mailboxes: [a], settings });
  return service;
}

/** Reference, message id and outcome of every control file in a folder. */
const told = (place: string): readonly string[] =>
  folder
    .list(a, place)
    .filter((name) => name.endsWith('.ctl'))
    .map((name) => {
      const control = folder.read(a, place, name);
      return ['LocalId', 'DTSId', 'Status'].map((element) => elementOf(control, element) ?? '-').join(' ');
    })
    .sort();
const idOf = (nth: number): string => (taken(nth).json as { message_id: string }).message_id;

describe('a pair whose control file is replaced', () => {
  it('while others are sent before it is sent once, as it is then, and nothing is left over', async () => {
    await using service = await make({
      onSend(localId, nth) {
        if (localId === 'REF-1') folder.dropControl(a, 'PAIR3', { To_DTS: b, LocalId: 'REF-CORRECTED' });
        return taken(nth);
      },
    });
    for (const n of [1, 2, 3]) folder.drop(a, `PAIR${n}`, 'bytes', { To_DTS: b, LocalId: `REF-${n}` });
    await clientRound(folder);
    await clientRound(folder);
    expect(service.sends).toEqual(['REF-1', 'REF-2', 'REF-CORRECTED']);
    expect(folder.list(a, 'OUT')).toEqual([]);
    expect(folder.list(a, 'FAILED')).toEqual([]);
    expect(told('IN').filter((line) => line.endsWith('ERROR'))).toEqual([]);
  });

  it('after the service took it and before that was told, is told of under its own reference', async () => {
    await using _service = await make({
      onSend(localId, nth) {
        // The report of this one cannot be written in this life.
        if (localId === 'FIRST') rmSync(folder.path(a, 'TEMP', '.openmesh'), { recursive: true });
        return taken(nth);
      },
    });
    folder.drop(a, 'PAIR', 'bytes', { To_DTS: b, LocalId: 'FIRST' });
    await clientRound(folder);
    folder.drop(a, 'PAIR', 'bytes of the second', { To_DTS: b, LocalId: 'SECOND' });
    await clientRound(folder);
    expect(told('IN')).toEqual([`FIRST ${idOf(1)} SUCCESS`, `SECOND ${idOf(2)} SUCCESS`]);
    expect(told('SENT')).toEqual([`SECOND ${idOf(2)} SUCCESS`]);
  });
});

it('fails a control file larger than any may be by itself, without reading it, and sends the others', async () => {
  await using service = await make();
  const huge = openSync(folder.path(a, 'OUT', 'HUGE.ctl'), 'w');
  ftruncateSync(huge, 3 * 1024 ** 3);
  closeSync(huge);
  writeFileSync(folder.path(a, 'OUT', 'HUGE.dat'), 'bytes');
  folder.drop(a, 'SMALL', 'bytes', { To_DTS: b, LocalId: 'SMALL' });
  await clientRound(folder);
  expect(service.sends).toEqual(['SMALL']);
  expect(folder.list(a, 'FAILED')).toEqual(['HUGE.ctl', 'HUGE.dat']);
  expect(elementOf(folder.read(a, 'IN', 'HUGE.ctl'), 'StatusCode')).toBe('01');
});
