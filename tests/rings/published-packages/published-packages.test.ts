import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../architecture/source-tree.ts';
import { testCertificates } from '../../kit/certificates.ts';
import { ExchangeInProcess, kitSharedKey } from '../../kit/running-exchange.ts';
import { seededPassword } from '../../kit/seeded-registry.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const run = promisify(execFile);
const here = join(repositoryRoot, 'tests/rings/published-packages');
const minuteMs = 60_000;
const nodes = ['node20', 'node22', 'node24'] as const;

let folder: TemporaryFolder;
let exchange: ExchangeInProcess;

beforeAll(async () => {
  folder = await temporaryFolder('published');
  for (const name of ['package.json', 'package-lock.json', 'round-trip.js', 'consumer.ts']) {
    cpSync(join(here, name), join(folder.path, name));
  }
  const packed = await run(process.execPath, ['scripts/pack.js', folder.path], { cwd: repositoryRoot });
  const tarballs = packed.stdout.trim().split('\n');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const options = { cwd: folder.path, timeout: 5 * minuteMs };
  await run('npm', ['ci', ...quiet], options);
  // Both at once: the one needs the other, and neither comes from a registry.
  await run('npm', ['install', '--no-save', ...quiet, ...tarballs], options);
  exchange = await ExchangeInProcess.start();
  const { authority, clients } = await testCertificates();
  const { cert, key } = clients.x26;
  const access = { url: exchange.url, password: seededPassword, sharedKey: kitSharedKey };
  writeFileSync(join(folder.path, 'task.json'), JSON.stringify({ options: access, authority, certificate: cert, key }));
}, 6 * minuteMs);

afterAll(async () => {
  await exchange?.stop();
  await folder?.remove();
});

const nodeOf = (name: string): string => join(folder.path, 'node_modules', name, 'bin/node');

describe('the published packages', () => {
  it('hold compiled JavaScript with its declarations, no TypeScript source, no test, and nothing of this machine', () => {
    for (const name of ['protocol', 'sdk']) {
      const installed = join(folder.path, 'node_modules/@openmesh', name);
      const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
      expect(files.filter((file) => /(?<!\.d)\.ts$|\.test\.|\.map$|^src/.test(file))).toEqual([]);
      expect(files).toContain(join('dist', 'index.d.ts'));
      expect(readdirSync(installed).sort()).toEqual(
        expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json']),
      );
      const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, object>;
      expect(Object.keys(manifest['dependencies'] ?? {})).toEqual(name === 'sdk' ? ['@openmesh/protocol'] : []);
      expect(manifest['scripts']).toBeUndefined();
    }
  });

  it.each(nodes)('are imported under %s, and send, collect and examine against a running exchange', async (name) => {
    const { stdout, stderr } = await run(nodeOf(name), ['round-trip.js', 'task.json'], { cwd: folder.path });
    expect(stderr).toBe('');
    const told = JSON.parse(stdout) as { readonly sent: string; readonly node: string };
    expect(told.node.split('.')[0]).toBe(name.slice(4));
    const subject = 'Ärztlicher Bericht';
    expect(told).toMatchObject({
      received: [
        { sha256: told.sent, chunks: 6, subject },
        { sha256: told.sent, chunks: 1, subject },
      ],
      refused: 'unregistered-recipient',
      isHealthy: true,
    });
  });

  it.each(nodes)('bring a command that runs under %s', async (name) => {
    const command = join(folder.path, 'node_modules/.bin/mesh');
    const { authorityFile, clients } = await testCertificates();
    const env = {
      MESH_URL: exchange.url,
      MESH_MAILBOX: 'X26ABC1',
      MESH_PASSWORD: seededPassword,
      MESH_SHARED_KEY: kitSharedKey,
      MESH_CA_FILE: authorityFile,
      MESH_CERT_FILE: clients.x26.certificateFile,
      MESH_KEY_FILE: clients.x26.keyFile,
    };
    const { stdout, stderr } = await run(nodeOf(name), [command, 'doctor', '--json'], { cwd: folder.path, env });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ isHealthy: true });
  });

  it.each(['protocol', 'sdk'])('%s says of itself what every kind of importer finds', async (name) => {
    const linter = join(folder.path, 'node_modules/.bin/publint');
    const installed = join(folder.path, 'node_modules/@openmesh', name);
    const { stdout } = await run(nodeOf('node24'), [linter, '--strict', '--pack', 'false', installed]);
    expect(stdout).toContain('All good!');
  });

  it('are typed: a program that uses them is checked without skipping their declarations', async () => {
    const compiler = join(repositoryRoot, 'node_modules/.bin/tsc');
    const types = ['--types', 'node', '--typeRoots', join(repositoryRoot, 'node_modules/@types')];
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
    ];
    const { stdout } = await run(compiler, [...options, ...types, 'consumer.ts'], { cwd: folder.path });
    expect(stdout).toBe('');
  });
});
