import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const launcher = new URL('../../../packages/client/bin/node24.js', import.meta.url).href;
const program = fileURLToPath(new URL('./programs/read-beside-hanging-files.ts', import.meta.url));
const script = `import { runUnderNode24 } from ${JSON.stringify(launcher)}; runUnderNode24(process.argv[1], process.argv.slice(2));`;

let home: TemporaryFolder;
beforeAll(async () => {
  home = await temporaryFolder('hanging-share');
  execFileSync('mkfifo', [join(home.path, 'pipe')]);
  writeFileSync(join(home.path, 'file'), 'read');
});
afterAll(() => home.remove());

/** What the program prints that the client's launcher starts; nothing when it hangs. */
function printed(hanging: number, env: Readonly<Record<string, string>> = {}): string {
  const args = [
    '--input-type=module',
    '--eval',
    script,
    program,
    join(home.path, 'pipe'),
    String(hanging),
    join(home.path, 'file'),
  ];
  const options = {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'], ...env },
  } as const;
  return spawnSync(process.execPath, args, options).stdout;
}

it('reads the files of other mailboxes while thirty reads hang on a share that is lost', () => {
  expect(printed(30)).toBe('read');
});

it('takes the number of threads that the operator gives instead', () => {
  expect(printed(3, { UV_THREADPOOL_SIZE: '4' })).toBe('read');
});
