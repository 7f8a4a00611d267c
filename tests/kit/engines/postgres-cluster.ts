import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { type ClusterNode, type ClusterTimes, haproxyFile, patroniFile } from './cluster-files.ts';
import { childrenOf, EngineProcess, ownerOfEngines, runEngineTool, untilDead } from './engine-process.ts';
import { postgresPrograms } from './postgres.ts';

export interface ClusterOptions {
  /** Three, so that one can be missing: with a single node left no commit is answered. */
  readonly nodes?: number;
  /** patroni's manual recommends 20 s and more in production. */
  readonly times?: ClusterTimes;
}

const quick: ClusterTimes = { ttlSeconds: 8, loopSeconds: 1, retrySeconds: 3 };
const programs = { patroni: '/usr/bin/patroni', etcd: '/usr/bin/etcd', haproxy: '/usr/sbin/haproxy' };
const pollMs = 100;
const startLimitMs = 120_000;

interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
}

function demandPrograms(): void {
  const missing = Object.entries(programs).filter(([, path]) => !existsSync(path));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => (name === 'etcd' ? 'etcd-server' : name)).join(' ');
  throw new Error(`missing: apt-get install --no-install-recommends ${names}`);
}

/**
 * A PostgreSQL that heals itself: nodes under patroni, each commit on two of them before it is answered, and haproxy,
 * which leads to the leader. Everything on the loopback address and in one temporary folder.
 */
export class PostgresCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #nodes: readonly ClusterNode[];
  readonly #port: number;
  readonly #patronis = new Map<string, EngineProcess>();
  #etcd: EngineProcess | undefined;
  #haproxy: EngineProcess | undefined;

  private constructor(folder: string, nodes: readonly ClusterNode[], port: number) {
    this.#folder = folder;
    this.#nodes = nodes;
    this.#port = port;
  }

  static async start({ nodes: count = 3, times = quick }: ClusterOptions = {}): Promise<PostgresCluster> {
    demandPrograms();
    const folder = await mkdtemp(join(tmpdir(), 'openmesh-cluster-'));
    const { uid, gid } = ownerOfEngines();
    await chmod(folder, 0o711);
    await chown(folder, uid, gid);
    const nodes: ClusterNode[] = [];
    for (let n = 1; n <= count; n += 1) {
      const node = {
        name: `n${n}`,
        folder: join(folder, `n${n}`),
        port: await freePort(),
        statusPort: await freePort(),
      };
      await mkdir(node.folder);
      await chown(node.folder, uid, gid);
      nodes.push(node);
    }
    const cluster = new PostgresCluster(folder, nodes, await freePort());
    try {
      await cluster.#begin(times);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** `postgres://…` of a database, by way of haproxy: always the leader. */
  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/${database}`;
  }

  /** Runs one statement on the leader; resolves to its rows, a line each, columns parted by `|`. */
  async run(sql: string, database = 'postgres'): Promise<readonly string[]> {
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql, this.url(database)];
    const printed = await runEngineTool(join(postgresPrograms(), 'psql'), args, { cwd: this.#folder });
    return printed.split('\n').filter((line) => line !== '');
  }

  /** The name of the node that takes writes now; undefined while there is none. */
  async leader(): Promise<string | undefined> {
    for (const node of this.#nodes) {
      const answer = await ask(node, '/primary');
      if (answer?.ok === true) return node.name;
    }
    return undefined;
  }

  /**
   * kill -9 of the leader's PostgreSQL; with `machine`, of its patroni too, as when the machine is gone. Resolves to the
   * node's name, once its processes are dead.
   */
  async killLeader(what: 'postgres' | 'machine'): Promise<string> {
    const node = await this.#leading();
    const postmaster = Number(readFileSync(join(node.folder, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
    const doomed = [postmaster, ...childrenOf(postmaster)];
    if (what === 'machine') this.#patronis.get(node.name)?.signal('SIGKILL');
    for (const pid of doomed) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself in the meantime.
      }
    }
    if (what === 'machine') await this.#patronis.get(node.name)?.exited;
    await untilDead(doomed);
    return node.name;
  }

  /** Starts patroni again on a node whose machine was killed; it rejoins as a standby. */
  async revive(name: string): Promise<void> {
    const node = this.#nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    await rm(join(node.folder, 'cluster', 'postmaster.pid'), { force: true });
    this.#launchPatroni(node);
  }

  /** Ends what leads to the leader: nobody reaches the cluster, however soon it has another leader, until `letIn`. */
  async shutOut(): Promise<void> {
    await this.#haproxy?.stop('SIGTERM');
  }

  letIn(): void {
    this.#launchHaproxy();
  }

  /** Resolves when there is a leader, and as many standbys as nodes are left, one of them synchronous. */
  async whole(limitMs = startLimitMs): Promise<void> {
    const giveUpAt = Date.now() + limitMs;
    for (;;) {
      const members = await this.#members();
      const running = members.filter(({ state }) => state === 'running' || state === 'streaming');
      const safe = members.some(({ role }) => role === 'sync_standby');
      if (running.length === this.#nodes.length && (safe || this.#nodes.length === 1)) break;
      if (Date.now() > giveUpAt) throw new Error(`the cluster is not whole: ${JSON.stringify(members)}\n${this.log}`);
      await setTimeout(pollMs);
    }
    await this.#haproxy?.until(() => this.run('select 1').then(...settled));
  }

  /** What its processes printed last. */
  get log(): string {
    const all = [this.#etcd, this.#haproxy, ...this.#patronis.values()];
    return all.map((engine) => `${engine?.name}: ${engine?.output.slice(-4000)}`).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#haproxy?.stop('SIGTERM');
    await Promise.all([...this.#patronis.values()].map((patroni) => patroni.stop('SIGTERM')));
    await this.#etcd?.stop('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #begin(times: ClusterTimes): Promise<void> {
    const [client, peer] = [await freePort(), await freePort()];
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    const etcd = new EngineProcess(
      programs.etcd,
      [
        ['--name', 'e1', '--data-dir', join(this.#folder, 'etcd')],
        ['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
        ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
        ['--initial-cluster', `e1=${peerUrl}`, '--initial-cluster-state', 'new'],
        ['--unsafe-no-fsync', '--logger', 'zap', '--log-level', 'warn'],
      ].flat(),
      { cwd: this.#folder },
    );
    this.#etcd = etcd;
    await etcd.until(() => fetch(`${clientUrl}/health`).then(...settled));
    for (const node of this.#nodes) {
      await writeFile(join(node.folder, 'patroni.yml'), patroniFile(node, client, postgresPrograms(), times));
    }
    await writeFile(join(this.#folder, 'haproxy.cfg'), haproxyFile(this.#nodes, this.#port));
    this.#launchHaproxy();
    const [first, ...others] = this.#nodes;
    if (first === undefined) throw new Error('a cluster has at least one node');
    await this.#launchPatroni(first).until(async () => (await this.leader()) !== undefined, startLimitMs);
    for (const node of others) this.#launchPatroni(node);
    await this.whole();
  }

  /** The leader, waited for where one was just lost, or nobody answers in time on a busy machine. */
  async #leading(): Promise<ClusterNode> {
    const giveUpAt = Date.now() + startLimitMs;
    for (;;) {
      const name = await this.leader();
      const node = this.#nodes.find((candidate) => candidate.name === name);
      if (node !== undefined) return node;
      if (Date.now() > giveUpAt) throw new Error(`there is no leader to kill\n${this.log}`);
      await setTimeout(pollMs);
    }
  }

  #launchHaproxy(): void {
    const configured = ['-db', '-f', join(this.#folder, 'haproxy.cfg')];
    this.#haproxy = new EngineProcess(programs.haproxy, configured, { cwd: this.#folder });
  }

  #launchPatroni(node: ClusterNode): EngineProcess {
    const patroni = new EngineProcess(programs.patroni, [join(node.folder, 'patroni.yml')], { cwd: node.folder });
    this.#patronis.set(node.name, patroni);
    return patroni;
  }

  async #members(): Promise<readonly Member[]> {
    for (const node of this.#nodes) {
      const answer = await ask(node, '/cluster');
      if (answer?.ok === true) return ((await answer.json()) as { readonly members: readonly Member[] }).members;
    }
    return [];
  }
}

const settled = [(): boolean => true, (): boolean => false] as const;

function ask(node: ClusterNode, path: string): Promise<Response | undefined> {
  const options = { signal: AbortSignal.timeout(1000) };
  return fetch(`http://127.0.0.1:${node.statusPort}${path}`, options).catch(() => undefined);
}
