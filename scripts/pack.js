// Makes the tarballs that are published: node scripts/pack.js FOLDER. In the repository a package is TypeScript that runs as
// it stands; published, it is the JavaScript and the declarations that `tsc -b` makes of it, under `dist`, and its manifest
// says what `publishConfig` says. Prints the path of each tarball.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const published = ['protocol', 'sdk'];
const root = fileURLToPath(new URL('../', import.meta.url));
const [target] = process.argv.slice(2);
if (target === undefined) {
  process.stderr.write('usage: node scripts/pack.js FOLDER\n');
  process.exit(64);
}

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

run(process.execPath, ['scripts/with-node24.js', 'tsc', '-b', ...published.map((name) => `packages/${name}`)], root);
mkdirSync(target, { recursive: true });
const staging = mkdtempSync(join(tmpdir(), 'openmesh-pack-'));
try {
  for (const name of published) process.stdout.write(`${packOne(name)}\n`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

function packOne(name) {
  const from = join(root, 'packages', name);
  const to = join(staging, name);
  const { publishConfig, ...manifest } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  mkdirSync(to);
  // Into an empty folder, so that nothing is published of a file that is no more.
  const out = [
    '--outDir',
    join(to, 'dist'),
    '--tsBuildInfoFile',
    join(staging, `${name}.tsbuildinfo`),
    '--sourceMap',
    'false',
  ];
  run(process.execPath, ['scripts/with-node24.js', 'tsc', '-p', `packages/${name}`, ...out], root);
  for (const file of ['LICENSE', `packages/${name}/README.md`])
    cpSync(join(root, file), join(to, file.split('/').pop()));
  if (manifest.files.includes('bin')) cpSync(join(from, 'bin'), join(to, 'bin'), { recursive: true });
  writeFileSync(join(to, 'package.json'), `${JSON.stringify({ ...manifest, ...publishConfig }, null, 2)}\n`);
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', resolve(target)], to));
  return join(resolve(target), filename);
}
