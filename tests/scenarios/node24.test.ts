import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../architecture/source-tree.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { findHostNode } from '../kit/host-node.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const run = promisify(execFile);
const missing =
  /^OpenMESH needs Node 24 and this is v[\d.]+: run "npm ci" without --omit=optional, or install Node 24\.\n$/;
// What the launchers see on a host whose own Node is too old; on such a host it changes nothing.
const pretendOldNode =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.0"}})';

describe('on a host whose Node is older than 24', () => {
  it('says in one sentence that Node 24 is missing, and ends with 78', async () => {
    await using folder = await temporaryFolder('node24');
    cpSync(join(repositoryRoot, 'packages/exchange/bin'), join(folder.path, 'bin'), { recursive: true });
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
    mkdirSync(join(folder.path, 'src'));
    const host = findHostNode() ?? process.execPath;
    const outcome = run(host, ['--import', pretendOldNode, join(folder.path, 'bin/openmesh-exchange.js'), 'serve'], {
      env: { HOME: folder.path },
    });
    await expect(outcome).rejects.toMatchObject({ code: 78, stdout: '', stderr: expect.stringMatching(missing) });
  });

  it('runs the command under the Node 24 that came by npm', async () => {
    const host = findHostNode() ?? process.execPath;
    const program = join(repositoryRoot, 'packages/exchange/bin/openmesh-exchange.js');
    const { stdout } = await run(host, ['--import', pretendOldNode, program, '--version']);
    expect(stdout).toMatch(/^openmesh-exchange \d+\.\d+\.\d+\n$/);
  });

  it('ends when it is told to, with the status of the exchange under it', async () => {
    await using home = await temporaryFolder('node24-serve');
    const program = join(repositoryRoot, 'packages/exchange/bin/openmesh-exchange.js');
    const { env } = new ExchangeFolder(home.path);
    const node = findHostNode() ?? process.execPath;
    const server = await ExchangeProcess.start({ env, program, node, nodeArgs: ['--import', pretendOldNode] });
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});

describe.each(['exchange', 'client'])('the launcher of the %s', (name) => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'])('ends by %s when what it runs did', async (signal) => {
    await using folder = await temporaryFolder('node24-signal');
    cpSync(join(repositoryRoot, `packages/${name}/bin`), join(folder.path, 'bin'), { recursive: true });
    symlinkSync(join(repositoryRoot, 'node_modules'), join(folder.path, 'node_modules'));
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
    const entry = join(folder.path, 'entry.ts');
    writeFileSync(entry, `process.kill(process.pid, '${signal}'); setInterval(() => undefined, 1000);`);
    const launcher = join(folder.path, 'launch.js');
    const start = `import { runUnderNode24 } from './bin/node24.js'; runUnderNode24(${JSON.stringify(entry)}, []);`;
    writeFileSync(launcher, start);
    const node = findHostNode() ?? process.execPath;
    const child = spawn(node, ['--import', pretendOldNode, launcher], { stdio: 'ignore' });
    expect(await once(child, 'close')).toEqual([null, signal]);
  });
});

describe('as the first process of a container', () => {
  const pretendFirst = 'data:text/javascript,Object.defineProperty(process,"pid",{value:1})';

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends by %s also before the command listens for it', async (signal, code) => {
    await using folder = await temporaryFolder('node24-first');
    cpSync(join(repositoryRoot, 'packages/exchange/bin'), join(folder.path, 'bin'), { recursive: true });
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
    mkdirSync(join(folder.path, 'src/cli'), { recursive: true });
    writeFileSync(join(folder.path, 'src/cli/main.ts'), 'console.log("up"); setInterval(() => undefined, 1000);');
    const program = join(folder.path, 'bin/openmesh-exchange.js');
    const child = spawn(process.execPath, ['--import', pretendFirst, program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await ended).toEqual([code, null]);
  });
});
