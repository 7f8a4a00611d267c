import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, matchesGlob, relative, resolve } from 'node:path/posix';
import { promisify } from 'node:util';
import { findHostNode } from '../host-node.ts';
import type { BuildStep, Containerfile } from './containerfile.ts';

/** A folder that holds what the image would, and what whoever runs it would be told of it. */
export interface Image {
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Undefined where the image leaves it at root. */
  readonly user: string | undefined;
}

const run = promisify(execFile);
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const outputBytesMax = 16 * 1024 * 1024;
const trustFile = '/run/trusted-here.pem';

/**
 * Makes an image in `home` without a container engine: a fresh Debian from its own archive with the Node that runs this,
 * which stands for the base, and on it every step of the file as a plain shell script, as root, within that Debian.
 * Throws what a step said when it fails. Needs root, debootstrap and the network.
 */
export async function buildImage(file: Containerfile, context: string, home: string): Promise<Image> {
  const root = join(home, 'root');
  await makeBase(file.base, root);
  await doSteps(file.steps, root, context, home);
  return { root, ...readState(file.steps) };
}

/** Does the steps within `root`; the script and what it may copy lie in `home` afterwards. */
export async function doSteps(steps: readonly BuildStep[], root: string, context: string, home: string): Promise<void> {
  const copied = join(home, 'context');
  copyContext(context, copied);
  const script = join(home, 'steps.sh');
  writeFileSync(script, scriptOf(steps, root, copied, readNetwork(root)));
  await done('the steps of the Containerfile', ['unshare', '--mount', '--', 'bash', script]);
}

/** What stands for `node:MAJOR-SUITE-slim`. */
async function makeBase(base: string, root: string): Promise<void> {
  const [, major, suite] = /^node:(\d+)-([a-z]+)-slim$/.exec(base) ?? [];
  if (suite === undefined || major !== process.versions.node.split('.')[0]) {
    throw new Error(`nothing here stands for the base ${base}: this is Node ${process.versions.node}`);
  }
  await done('a Debian to begin with', [
    'debootstrap',
    '--variant=minbase',
    suite,
    root,
    'http://deb.debian.org/debian',
  ]);
  const hostNode = findHostNode();
  if (hostNode === undefined) throw new Error('there is no npm beside a node on PATH, which the base would have');
  const npm = dirname(dirname(realpathSync(join(dirname(hostNode), 'npm'))));
  cpSync(realpathSync(process.execPath), join(root, 'usr/local/bin/node'));
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    await run('ln', ['-s', `../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name)]);
  }
  await run('chroot', [root, 'useradd', '--uid', '1000', '--create-home', 'node']);
}

/** What the machine that builds lends: how names are found, and whom its network is to be trusted for. */
function readNetwork(root: string): Readonly<Record<string, string>> {
  cpSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'), { dereference: true });
  const trusted = process.env['NODE_EXTRA_CA_CERTS'];
  const proxies = Object.entries(process.env).filter(([name]) =>
    /^((https?|no)_proxy|npm_config_fetch_retries)$/i.test(name),
  ) as [string, string][];
  if (trusted === undefined) return Object.fromEntries(proxies);
  cpSync(trusted, join(root, trustFile), { dereference: true });
  return { ...Object.fromEntries(proxies), NODE_EXTRA_CA_CERTS: trustFile, npm_config_cafile: trustFile };
}

/** Copies what a build may see: all but what .dockerignore names. */
function copyContext(context: string, copied: string): void {
  const listed = join(context, '.dockerignore');
  const patterns = existsSync(listed)
    ? readFileSync(listed, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
  if (patterns.some((pattern) => /^[!#]/.test(pattern))) throw new Error('.dockerignore has a line not followed here');
  const seen = (path: string): boolean => !patterns.some((pattern) => matchesGlob(relative(context, path), pattern));
  cpSync(context, copied, { recursive: true, filter: seen, verbatimSymlinks: true });
}

function readState(steps: readonly BuildStep[]): Omit<Image, 'root'> {
  const state = {
    environment: { PATH: searchPath } as Record<string, string>,
    folder: '/',
    user: undefined as string | undefined,
  };
  for (const step of steps) {
    if (step.kind === 'environment') Object.assign(state.environment, step.values);
    else if (step.kind === 'folder') state.folder = step.path;
    else if (step.kind === 'user') state.user = step.name;
  }
  return state;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The steps as a script for bash: each says what it is, and the first that fails ends it. */
function scriptOf(
  steps: readonly BuildStep[],
  root: string,
  context: string,
  network: Readonly<Record<string, string>>,
): string {
  const lines = ['set -euo pipefail', `mount -t proc proc ${quoted(join(root, 'proc'))}`];
  steps.forEach((step, at) => {
    const { environment, folder, user } = readState(steps.slice(0, at));
    lines.push(`echo ${quoted(`== step ${at + 1}: ${JSON.stringify(step)}`)}`);
    if (step.kind === 'run') {
      const values = Object.entries({ HOME: '/root', ...network, ...environment }).map(([name, value]) =>
        quoted(`${name}=${value}`),
      );
      const as = user === undefined ? '' : ` --userspec=${quoted(user)}`;
      const within = `cd ${quoted(folder)} && ${step.command}`;
      lines.push(`chroot${as} ${quoted(root)} env -i ${values.join(' ')} /bin/sh -c ${quoted(within)}`);
    } else if (step.kind === 'copy') lines.push(...copyLines(step, join(root, folder), root, context));
    else if (step.kind === 'folder') lines.push(`mkdir -p ${quoted(join(root, step.path))}`);
  });
  lines.push(`rm -f ${quoted(join(root, trustFile))}`);
  return `${lines.join('\n')}\n`;
}

/** A folder's content goes to the target; a file goes into a target that ends in a slash, and else becomes it. */
function copyLines(
  step: BuildStep & { kind: 'copy' },
  folder: string,
  root: string,
  context: string,
): readonly string[] {
  const target = step.target.startsWith('/') ? join(root, step.target) : resolve(folder, step.target);
  return step.sources.flatMap((source) => {
    const from = quoted(join(context, source));
    const into = step.target.endsWith('/') || source.endsWith('/');
    return [
      `if [ -d ${from} ]; then mkdir -p ${quoted(target)}; cp -R ${from}/. ${quoted(target)}; else`,
      `  mkdir -p ${quoted(into ? target : dirname(target))}; cp ${from} ${quoted(into ? `${target}/` : target)}; fi`,
    ];
  });
}

async function done(what: string, [program = '', ...args]: readonly string[]): Promise<void> {
  try {
    await run(program, args, {
      maxBuffer: outputBytesMax,
      env: { PATH: searchPath, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error(`${what} failed: ${message}\n${`${stdout}${stderr}`.slice(-4_000)}`, { cause: error });
  }
}
