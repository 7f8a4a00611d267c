import { execFile, spawn } from 'node:child_process';
import { chown, cp, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder('image');
  // Whoever the entry goes on as must be able to get there.
  await run('chmod', ['755', folder.path]);
});

afterEach(() => folder.remove());

interface Step {
  readonly word: string;
  readonly rest: string;
}

async function readSteps(): Promise<readonly Step[]> {
  const text = await readFile(join(repository, 'Containerfile'), 'utf8');
  const lines = text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [word = '', ...rest] = line.split(' ');
    return { word, rest: rest.join(' ') };
  });
}

const ignored = (path: string): boolean =>
  path.split(sep).includes('node_modules') || /\.(test|contract)\.ts$/.test(path);

/** Does the COPY steps into `image`, and puts there what `npm ci` would, from this checkout and without its extras. */
async function buildImage(image: string): Promise<void> {
  await mkdir(image, { recursive: true });
  for (const { word, rest } of await readSteps()) {
    if (word !== 'COPY') continue;
    const names = rest.split(' ');
    const to = names.pop() ?? './';
    for (const name of names) {
      const target = to.endsWith('/') ? join(image, to, name) : join(image, to);
      await cp(join(repository, name), target, {
        recursive: true,
        filter: (source) => !ignored(relative(repository, source)),
      });
    }
  }
  const npm = ['ls', '--all', '--parseable', '--omit=dev', '--omit=optional'];
  const { stdout } = await run('npm', npm, { cwd: repository });
  for (const path of stdout.split('\n')) {
    const name = relative(repository, path);
    if (!name.startsWith('node_modules') || name.includes('@openmesh')) continue;
    await mkdir(dirname(join(image, name)), { recursive: true });
    await cp(path, join(image, name), { recursive: true });
  }
  await mkdir(join(image, 'node_modules/@openmesh'), { recursive: true });
  for (const name of await readdir(join(repository, 'node_modules/@openmesh'))) {
    const link = join('node_modules/@openmesh', name);
    await symlink(await readlink(join(repository, link)), join(image, link));
  }
}

/** Runs the entry with a `node` that only says who it is and what it was given. */
async function runEntry(env: Readonly<Record<string, string>>): Promise<string> {
  const bin = join(folder.path, 'bin');
  await mkdir(bin, { recursive: true });
  const script = '#!/bin/sh\necho "user=$(id -u) port=$PORT program=${1##*/} arguments=$2"\n';
  await writeFile(join(bin, 'node'), script, { mode: 0o755 });
  const entry = join(folder.path, 'container-entry.sh');
  await cp(join(repository, 'packages/sandbox/bin/container-entry.sh'), entry);
  const { stdout } = await run('/bin/sh', [entry, '--true'], {
    env: { PATH: `${bin}:/usr/bin:/bin:/usr/sbin`, ...env },
  });
  return stdout.trim();
}

describe('the steps of the Containerfile', () => {
  it('are plain: one base, and nothing but what a test can follow', async () => {
    const words = (await readSteps()).map(({ word }) => word);
    expect(words.filter((word) => word === 'FROM')).toHaveLength(1);
    expect(new Set(words)).toEqual(
      new Set(['FROM', 'RUN', 'WORKDIR', 'COPY', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT']),
    );
  });

  it('put in curl, open the official ports and ask for health there', async () => {
    const steps = (await readSteps()).map(({ word, rest }) => `${word} ${rest}`).join('\n');
    expect(steps).toMatch(/apt-get install .*\bcurl\b/);
    expect(steps).toContain('EXPOSE 443 80');
    expect(steps).toMatch(/HEALTHCHECK .*curl -ksf "https:\/\/localhost:\$\{PORT:-443\}\/health"/);
  });

  it('make a folder that runs by itself, with what npm installs for production and no more', async () => {
    const image = join(folder.path, 'app');
    await buildImage(image);
    const port = await freePort();
    const environment = (await readSteps()).filter(({ word }) => word === 'ENV').flatMap(({ rest }) => rest.split(' '));
    const env = {
      ...Object.fromEntries(environment.map((pair) => pair.split('=', 2) as [string, string])),
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin:/usr/sbin`,
      PORT: String(port),
      MAILBOXES_DATA_DIR: join(folder.path, 'store'),
      OPENMESH_MACHINES_HOST: '127.0.0.1',
      OPENMESH_OPERATORS_PORT: '0',
    };
    const [, entry = ''] = JSON.parse(
      (await readSteps()).find(({ word }) => word === 'ENTRYPOINT')?.rest ?? '[]',
    ) as string[];
    const child = spawn('/bin/sh', [entry.replace('/app', image)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (printed += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (printed += piece));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      await Promise.race([
        expect.poll(() => printed, { timeout: 25_000 }).toContain('ready https://'),
        ended.then((code) => Promise.reject(new Error(`ended with ${code}: ${printed}`))),
      ]);
      const check = (await readSteps()).find(({ word }) => word === 'HEALTHCHECK')?.rest.split('CMD ')[1] ?? 'false';
      const { stdout } = await run('/bin/sh', ['-c', check], { env });
      expect(JSON.parse(stdout)).toMatchObject({ status: 'running' });
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the entry of the image', () => {
  it.each([
    [{}, 443],
    [{ SSL: 'yes' }, 443],
    [{ SSL: 'no' }, 80],
    [{ SSL: 'no', PORT: '8080' }, 8080],
    [{ PORT: '8443' }, 8443],
  ])('with %j opens port %i', async (env, port) => {
    const said = await runEntry({ MAILBOXES_DATA_DIR: join(folder.path, 'store'), ...env });
    expect(said).toContain(`port=${port} program=openmesh-sandbox.js arguments=--true`);
  });

  it.runIf(process.getuid?.() === 0)(
    'goes on as the owner of the data folder, and makes a new volume its own',
    async () => {
      const store = join(folder.path, 'store');
      await mkdir(store);
      expect(await runEntry({ MAILBOXES_DATA_DIR: store })).toContain('user=1000');
      expect((await stat(store)).uid).toBe(1000);
      await chown(store, 1234, 1234);
      expect(await runEntry({ MAILBOXES_DATA_DIR: store })).toContain('user=1234');
      await chown(store, 0, 0);
      await writeFile(join(store, 'mailboxes.jsonl'), '');
      expect(await runEntry({ MAILBOXES_DATA_DIR: store })).toContain('user=0');
    },
  );
});
