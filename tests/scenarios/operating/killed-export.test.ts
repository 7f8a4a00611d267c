import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCommand } from '../../kit/command-process.ts';
import { ExchangeFolder } from '../../kit/exchange-folder.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../packages/exchange/src/cli/main.ts', import.meta.url));

let home: TemporaryFolder;
let folder: ExchangeFolder;
beforeEach(async () => {
  home = await temporaryFolder('killed-export');
  folder = new ExchangeFolder(home.path);
  mkdirSync(folder.data);
  // More than one block of lines.
  folder.addMailboxes(Array.from({ length: 600 }, (_, n) => `MAILBOX${n}`));
});
afterEach(() => home.remove());

/** Ends the process by a signal in place of the write that would put its second block into a file. */
const endAtSecondBlock = (signal: string): string => `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { writeSync } = fs;
  let blocks = 0;
  fs.writeSync = (file, bytes, ...rest) => {
    if (bytes.length > 32768 && (blocks += 1) === 2) process.kill(process.pid, '${signal}');
    return writeSync(file, bytes, ...rest);
  };
  syncBuiltinESMExports();
`;

it.each(['SIGKILL', 'SIGTERM', 'SIGINT'])(
  'an export that is ended by %s leaves no part of itself under the name of the whole, and is run again',
  async (signal) => {
    const file = join(home.path, 'out.ndjson');
    const hook = `data:text/javascript,${encodeURIComponent(endAtSecondBlock(signal))}`;
    const child = spawn(process.execPath, ['--import', hook, program, 'export', '--output', file], {
      stdio: 'ignore',
      env: folder.env,
    });
    expect(await once(child, 'exit')).toEqual([null, signal]);
    expect(existsSync(file)).toBe(false);
    expect(await runCommand(['export', '--output', file], folder.env)).toMatchObject({ status: 0 });
    const again = await runCommand(['import', file, '--dry-run'], folder.env);
    expect(again).toMatchObject({ status: 0, out: expect.stringContaining('would change 0 row(s)') });
    expect(again.out).toMatch(/^mailbox +0 +0 +600$/m);
    expect(readdirSync(home.path).filter((name) => name.startsWith('out.ndjson.unfinished-')).length).toBeLessThan(2);
  },
);
