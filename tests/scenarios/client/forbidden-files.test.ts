import { execFile } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { startScriptedService } from '../../kit/scripted-service.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const a = 'X26ABC1';
const program = fileURLToPath(new URL('../../../packages/client/src/cli/main.ts', import.meta.url));
const nobody = 65_534;

/** An account to which permissions apply, for which everything under a folder is its own. */
function accountFor(path: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['', ...readdirSync(path, { recursive: true, encoding: 'utf8' })])
    chownSync(join(path, name), nobody, nobody);
  return { uid: nobody, gid: nobody };
}

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
    const account = accountFor(home.path);
    for (const base of ['LOCKED', 'BIG']) chmodSync(folder.path(a, 'OUT', `${base}.dat`), 0);
    await promisify(execFile)(process.execPath, [program, 'once', folder.configFile], { ...account, cwd: home.path });
    expect(service.sends).toEqual(['OPEN']);
    expect(folder.list(a, 'OUT')).toEqual([]);
    expect(folder.list(a, 'FAILED')).toEqual(['BIG.ctl', 'BIG.dat', 'LOCKED.ctl', 'LOCKED.dat']);
    expect(elementOf(folder.read(a, 'IN', 'LOCKED.ctl'), 'StatusCode')).toBe('02');
    await home.remove();
  },
);
