import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../architecture/source-tree.ts';
import { SandboxProcess } from '../kit/sandbox-process.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const run = promisify(execFile);

/** The block of the README that is to be pasted, with the port and the folder of this test's sandbox in it. */
function pastedFrom(readme: string, port: string, folder: string): string {
  const block = /```sh\n(token\(\)[\s\S]*?)```/.exec(readme)?.[1];
  if (block === undefined) throw new Error('the README has no block of calls');
  return block.replaceAll('localhost:8700', `localhost:${port}`).replaceAll('/tmp/mesh_store', folder);
}

describe('the README', () => {
  it('has calls that work as printed: send, list, download', async () => {
    await using folder = await temporaryFolder('readme');
    await using sandbox = await SandboxProcess.start([], { MAILBOXES_DATA_DIR: folder.path });
    const { port } = new URL(sandbox.announcement.url);
    const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
    const { stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', pastedFrom(readme, port, folder.path)]);
    expect(stderr).toBe('');
    const [, sent = 'none'] = /"messageID":\s*"([^"]+)"/.exec(stdout) ?? [];
    expect(stdout.split(sent)).toHaveLength(3);
    expect(stdout.endsWith('Hello, MESH')).toBe(true);
  });

  it('has a first success with the command mesh that works as printed', async () => {
    await using folder = await temporaryFolder('readme');
    await using sandbox = await SandboxProcess.start([], { MAILBOXES_DATA_DIR: folder.path });
    const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
    const block = /```sh\n(npx mesh send[^]*?)```/.exec(readme)?.[1]?.replace('/tmp', folder.path) ?? 'false';
    const env = { ...process.env, MAILBOXES_DATA_DIR: folder.path, MESH_URL: sandbox.announcement.url };
    const { stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', block], { cwd: repositoryRoot, env });
    const [, sent = 'none'] = /^sent: +(\S+)$/m.exec(stdout) ?? [];
    expect(readFileSync(join(folder.path, `${sent}.dat`), 'utf8')).toBe(readme);
    expect(stdout).toMatch(/^ok {6}mailbox/m);
    expect(stderr).toMatch(/^nothing else waits$/m);
  });
});
