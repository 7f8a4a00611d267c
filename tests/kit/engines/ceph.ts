import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { type CephPlaces, cephSettings } from './ceph-settings.ts';
import { EngineProcess, ownerOfEngines, runEngineTool, untilDead } from './engine-process.ts';

export interface CephOptions {
  /** Gateways that speak S3; 1 when absent. */
  readonly gateways?: number;
  /** Storage daemons; from 2 on each object is kept by several. 1 when absent. */
  readonly stores?: number;
  /** Seconds that a day of the lifecycle rules lasts. */
  readonly dayOfRulesSeconds?: number;
}

const programs = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'monmaptool'];

/** An object store that speaks S3: Debian's Ceph in a temporary folder, on the loopback address. */
export class CephStore implements AsyncDisposable {
  readonly accessKey = 'kit-access-key';
  readonly secretKey = 'kit-secret-key-0123456789';
  readonly #places: CephPlaces;
  #monitor: EngineProcess | undefined;
  #stores: EngineProcess[] = [];
  #gateways: EngineProcess[] = [];

  private constructor(places: CephPlaces) {
    this.#places = places;
  }

  static async start(options: CephOptions = {}): Promise<CephStore> {
    if (programs.some((program) => !existsSync(join('/usr/bin', program)))) {
      throw new Error('Ceph is missing: apt-get install --no-install-recommends ceph-mon ceph-osd radosgw ceph-common');
    }
    const ports: number[] = [];
    const gateways = options.gateways ?? 1;
    while (ports.length < gateways + 2) ports.push(await freePort());
    const [first = 0, second = 0, ...gatewayPorts] = ports;
    const folder = await mkdtemp(join(tmpdir(), 'openmesh-ceph-'));
    const store = new CephStore({
      folder,
      clusterId: randomUUID(),
      monitorPorts: [first, second],
      gatewayPorts,
      stores: options.stores ?? 1,
      ...(options.dayOfRulesSeconds !== undefined && { dayOfRulesSeconds: options.dayOfRulesSeconds }),
    });
    try {
      await store.#make();
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
    return store;
  }

  /** `http://…` of a gateway. */
  endpoint(gateway = 0): string {
    return `http://127.0.0.1:${this.#places.gatewayPorts[gateway] ?? 0}`;
  }

  /** What the standard chain of credentials reads. */
  get credentials(): Readonly<Record<string, string>> {
    return { AWS_ACCESS_KEY_ID: this.accessKey, AWS_SECRET_ACCESS_KEY: this.secretKey };
  }

  /** As when the machine of this gateway loses its power: callers are cut off. */
  async killGateway(gateway = 0): Promise<void> {
    await killAll([this.#gateways[gateway]]);
  }

  async killStore(store = 0): Promise<void> {
    await killAll([this.#stores[store]]);
  }

  /** Everything at once. */
  async kill(): Promise<void> {
    await killAll([...this.#gateways, ...this.#stores, this.#monitor]);
  }

  /** Starts again whatever does not run, on what it left, and waits until it answers. */
  async resume(): Promise<void> {
    if (this.#monitor?.runs !== true) await this.#startMonitor();
    await this.#startStores();
    await this.#startGateways();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Gateways keep nothing, and may take half a minute over their connections.
    await Promise.all(this.#gateways.map((gateway) => gateway.stop('SIGTERM', 1_000)));
    await Promise.all(this.#stores.map((store) => store.stop('SIGTERM', 5_000)));
    await this.#monitor?.stop('SIGTERM', 5_000);
    await rm(this.#places.folder, { recursive: true, force: true });
  }

  async #make(): Promise<void> {
    const { folder, clusterId, monitorPorts, stores, gatewayPorts } = this.#places;
    const owner = ownerOfEngines();
    const subfolders = ['run', 'log', 'crash', 'monitor'];
    for (let n = 0; n < stores; n += 1) subfolders.push(`store.${n}`);
    for (const n of gatewayPorts.keys()) subfolders.push(`gateway.${n}`);
    for (const name of subfolders) await mkdir(join(folder, name));
    await writeFile(join(folder, 'ceph.conf'), cephSettings(this.#places));
    await writeFile(join(folder, 'keyring'), '');
    for (const name of ['', 'keyring', ...subfolders]) await chown(join(folder, name), owner.uid, owner.gid);
    await chmod(folder, 0o700);
    const address = `[v2:127.0.0.1:${monitorPorts[0]},v1:127.0.0.1:${monitorPorts[1]}]`;
    const map = join(folder, 'monitor-map');
    await this.#run('monmaptool', ['--create', '--clobber', '--fsid', clusterId, '--addv', 'a', address, map]);
    await this.#run('ceph-mon', ['--mkfs', '-i', 'a', ...this.#configured(), '--monmap', map]);
    await this.#startMonitor();
    for (let n = 0; n < stores; n += 1) {
      const id = randomUUID();
      await this.#run('ceph', [...this.#configured(), 'osd', 'new', id]);
      await this.#run('ceph-osd', ['--mkfs', '-i', String(n), '--osd-uuid', id, ...this.#configured()]);
    }
    await this.#startStores();
    await this.#startGateways();
    const keys = ['--access-key', this.accessKey, '--secret-key', this.secretKey];
    const user = ['user', 'create', '--uid', 'kit', '--display-name', 'kit', ...keys];
    await this.#run('radosgw-admin', [...this.#configured(), ...user]);
  }

  async #startMonitor(): Promise<void> {
    this.#monitor = this.#launch('ceph-mon', ['-i', 'a']);
    await this.#monitor.until(() => this.#answers(['mon', 'stat'], /./));
  }

  async #startStores(): Promise<void> {
    const { stores } = this.#places;
    const before = [...this.#stores];
    this.#stores = Array.from(
      { length: stores },
      (_, n) => running(before[n]) ?? this.#launch('ceph-osd', ['-i', String(n)]),
    );
    // A daemon that was killed a moment ago still counts as up until its peers miss it: ask the daemon itself too.
    for (const [n, store] of this.#stores.entries()) {
      await store.until(() => this.#answers(['tell', `osd.${n}`, 'version'], /version/));
      await store.until(() => this.#answers(['osd', 'stat'], new RegExp(`${stores} up`)));
    }
  }

  async #startGateways(): Promise<void> {
    const before = [...this.#gateways];
    this.#gateways = [];
    for (const n of this.#places.gatewayPorts.keys()) {
      const gateway = running(before[n]) ?? this.#launch('radosgw', ['-n', `client.rgw.${n}`]);
      this.#gateways.push(gateway);
      // One after the other: the first makes the pools.
      await gateway.until(() => listens(this.endpoint(n)), 90_000);
    }
  }

  #launch(program: string, args: readonly string[]): EngineProcess {
    return new EngineProcess(program, ['-f', ...args, ...this.#configured()], { cwd: this.#places.folder });
  }

  #configured(): readonly string[] {
    return ['-c', join(this.#places.folder, 'ceph.conf')];
  }

  #run(program: string, args: readonly string[]): Promise<string> {
    return runEngineTool(program, args, { cwd: this.#places.folder });
  }

  async #answers(command: readonly string[], expected: RegExp): Promise<boolean> {
    try {
      return expected.test(await this.#run('ceph', [...this.#configured(), '--connect-timeout', '5', ...command]));
    } catch {
      return false;
    }
  }
}

function running(engine: EngineProcess | undefined): EngineProcess | undefined {
  return engine?.runs === true ? engine : undefined;
}

async function killAll(engines: readonly (EngineProcess | undefined)[]): Promise<void> {
  const alive = engines.filter((engine) => engine !== undefined).filter((engine) => engine.runs);
  for (const engine of alive) engine.signal('SIGKILL');
  await Promise.all(alive.map((engine) => engine.exited));
  await untilDead(alive.map((engine) => engine.pid));
}

async function listens(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(endpoint, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
