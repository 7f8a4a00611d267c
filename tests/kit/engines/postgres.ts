import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { childrenOf, EngineProcess, ownerOfEngines, runEngineTool, untilDead } from './engine-process.ts';

export interface PostgresOptions {
  /** Flushes to the disk as in production; off where a test is about something else, for speed. */
  readonly durable?: boolean;
  /** Further settings of the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

const debianFolder = '/usr/lib/postgresql';

/** The folder of PostgreSQL's programs, the newest from 15 on. */
export function postgresPrograms(): string {
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder).map(Number) : [];
  const newest = Math.max(0, ...versions.filter((version) => version >= 15));
  const folder = join(debianFolder, String(newest), 'bin');
  if (!existsSync(join(folder, 'initdb'))) {
    throw new Error('PostgreSQL 15 is missing: apt-get install --no-install-recommends postgresql-15');
  }
  return folder;
}

/** A PostgreSQL of one test file: a cluster in a temporary folder, on a port of the loopback address, without passwords. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: Readonly<Record<string, string>>;
  #server: EngineProcess;
  #databases = 0;

  private constructor(folder: string, port: number, settings: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.port = port;
    this.#settings = settings;
    this.#server = this.#launch();
  }

  static async start({ durable = false, settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
    const programs = postgresPrograms();
    const folder = await mkdtemp(join(tmpdir(), 'openmesh-postgres-'));
    const { uid, gid } = ownerOfEngines();
    await chown(folder, uid, gid);
    await chmod(folder, 0o711);
    const args = [
      '-D',
      join(folder, 'cluster'),
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ];
    await runEngineTool(join(programs, 'initdb'), args, { cwd: folder });
    const flushing = durable ? 'on' : 'off';
    const server = new PostgresServer(folder, await freePort(), {
      fsync: flushing,
      full_page_writes: flushing,
      synchronous_commit: flushing,
      max_connections: '60',
      shared_buffers: '64MB',
      max_wal_size: '512MB',
      ...settings,
    });
    await server.#ready();
    return server;
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** What the server printed last. */
  get log(): string {
    return this.#server.output;
  }

  /** `postgres://…` of a database of this server. */
  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes an empty database, or a copy of one that nobody is connected to; resolves to its address. */
  async createDatabase(template = 'template0'): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.run(`create database ${name} template ${template}`);
    return this.url(name);
  }

  /** Runs one statement; resolves to its rows, a line each, columns parted by `|`. */
  async run(sql: string, database = 'postgres'): Promise<readonly string[]> {
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql, this.url(database)];
    const printed = await runEngineTool(join(postgresPrograms(), 'psql'), args, { cwd: this.#folder });
    return printed.split('\n').filter((line) => line !== '');
  }

  /** Stops the server as an operator would; its clients are cut off. */
  async stop(): Promise<void> {
    await this.#server.stop('SIGINT');
  }

  /** As when the machine's power goes, but for what its kernel had not written. */
  async kill(): Promise<void> {
    const { pid } = this.#server;
    const all = [pid, ...childrenOf(pid)];
    for (const one of all) {
      try {
        process.kill(one, 'SIGKILL');
      } catch {
        // It ended by itself in the meantime.
      }
    }
    await this.#server.exited;
    // What it had in shared memory must be let go of, or its successor refuses to start.
    await untilDead(all);
  }

  /** Resolves when the server has ended, whoever ended it. */
  async killed(): Promise<void> {
    await this.#server.exited;
    await this.kill();
  }

  /** Starts the server again on what it left. */
  async resume(): Promise<void> {
    this.#server = this.#launch();
    await this.#ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #launch(): EngineProcess {
    const fixed = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      timezone: 'UTC',
    };
    const settings = Object.entries({ ...fixed, ...this.#settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const args = ['-D', join(this.#folder, 'cluster'), ...settings];
    return new EngineProcess(join(postgresPrograms(), 'postgres'), args, { cwd: this.#folder });
  }

  async #ready(): Promise<void> {
    const program = join(postgresPrograms(), 'pg_isready');
    const args = ['-q', '-h', '127.0.0.1', '-p', String(this.port)];
    await this.#server.until(() =>
      runEngineTool(program, args, { cwd: this.#folder }).then(
        () => true,
        () => false,
      ),
    );
  }
}
