import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { startScriptedService } from '../../kit/scripted-service.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const a = 'X26ABC1';
const program = fileURLToPath(new URL('../../../packages/client/src/cli/main.ts', import.meta.url));
/** The program by which permissions apply to root too: the tests may be run by it. */
const asOthers = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];

it.runIf(process.platform !== 'win32')(
  'fails a pair whose data may not be read, with a report, and sends the others',
  async () => {
    await using service = await startScriptedService();
    const home = await temporaryFolder('client');
    const settings = { ServerRetry: '1', PairTimeoutMinutes: '0' };
    const folder = new ClientFolder(home.path, { url: service.url, mailboxes: [a], settings });
    for (const base of ['LOCKED', 'OPEN']) folder.drop(a, base, 'bytes', { To_DTS: a, LocalId: base });
    // One too large to be read ahead, for that is another way.
    writeFileSync(folder.path(a, 'OUT', 'BIG.dat'), Buffer.alloc(200_000));
    folder.dropControl(a, 'BIG', { To_DTS: a, LocalId: 'BIG' });
    for (const base of ['LOCKED', 'BIG']) chmodSync(folder.path(a, 'OUT', `${base}.dat`), 0);
    const args = [...asOthers, process.execPath, program, 'once', folder.configFile];
    await promisify(execFile)('/usr/bin/env', args, { cwd: home.path });
    expect(service.sends).toEqual(['OPEN']);
    expect(folder.list(a, 'OUT')).toEqual([]);
    expect(folder.list(a, 'FAILED')).toEqual(['BIG.ctl', 'BIG.dat', 'LOCKED.ctl', 'LOCKED.dat']);
    expect(elementOf(folder.read(a, 'IN', 'LOCKED.ctl'), 'StatusCode')).toBe('02');
    await home.remove();
  },
);
