import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { EngineProcess } from './engine-process.ts';

const program = '/usr/sbin/haproxy';

/** haproxy in front of the nodes of an exchange: passes connections through, and only to a node that takes them. */
export class Balancer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #process: EngineProcess;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.#process = new EngineProcess(program, ['-db', '-f', join(folder, 'haproxy.cfg')], { cwd: folder });
  }

  static async start(nodePorts: readonly number[]): Promise<Balancer> {
    if (!existsSync(program)) throw new Error('missing: apt-get install --no-install-recommends haproxy');
    const folder = await mkdtemp(join(tmpdir(), 'openmesh-balancer-'));
    await chmod(folder, 0o755);
    const port = await freePort();
    const servers = nodePorts.map((nodePort, at) => `  server node${at + 1} 127.0.0.1:${nodePort}`);
    await writeFile(
      join(folder, 'haproxy.cfg'),
      `global
  maxconn 1000
defaults
  mode tcp
  timeout connect 2s
  timeout client 1m
  timeout server 1m
  retries 3
  option redispatch 1
listen exchange
  bind 127.0.0.1:${port}
  balance leastconn
  default-server check inter 100ms fall 3 rise 1
${servers.join('\n')}
`,
      { mode: 0o644 },
    );
    const balancer = new Balancer(port, folder);
    await balancer.#process.until(() => connects(port));
    return balancer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}
