import { importsOf } from './imports.ts';
import type { SourceFile } from './source-tree.ts';

/** A room of the house: where its files lie, which rooms it may know, and which packages or parts of Node. */
interface Room {
  readonly name: string;
  readonly files: RegExp;
  readonly knows: readonly string[] | 'everyone';
  /** Matched against the whole name of a package or a `node:` module. Left out: any. */
  readonly packages?: RegExp;
}

const inExchange = (folder: string): RegExp => new RegExp(`^packages/exchange/src/${folder}/`);
const inClient = (folders: string): RegExp => new RegExp(`^packages/client/src/${folders}/`);
const nothingFromOutside = /^$/;
/** Hashing, comparing, and naming a moment for whoever listens; no disk, no network, no process. */
const pureNode = /^node:(crypto|diagnostics_channel|path|util)$/;

/** The first room whose pattern fits a file is that file's room. */
export const rooms: readonly Room[] = [
  { name: 'protocol', files: /^packages\/protocol\/src\//, knows: [], packages: nothingFromOutside },
  {
    name: 'demographics',
    files: /^packages\/demographics\/src\//,
    knows: [],
    packages: /^node:(crypto|https)$/,
  },
  {
    name: 'config',
    files: inExchange('config'),
    knows: ['protocol'],
    packages: /^node:(crypto|fs|net|path|util)$/,
  },
  {
    name: 'ports',
    files: /^packages\/exchange\/src\/store\/(ledger\/|[^/]+\.ts$)/,
    knows: ['protocol'],
    packages: pureNode,
  },
  {
    name: 'sqlite',
    files: inExchange('store/sql/sqlite'),
    knows: ['protocol', 'ports', 'sql'],
    packages: /^node:(crypto|diagnostics_channel|events|fs|path|sqlite|worker_threads)$/,
  },
  {
    name: 'postgres',
    files: inExchange('store/sql/postgres'),
    knows: ['protocol', 'ports', 'sql'],
    packages: /^(node:(child_process|crypto|diagnostics_channel|events|fs|timers\/promises)|pg)$/,
  },
  // The tables beside the SQL are read as they stand, so `sql` and `sqlite` are one cellar with the driver behind a door.
  { name: 'sql', files: inExchange('store/sql'), knows: ['protocol', 'ports'], packages: pureNode },
  // Memory, blocks and digests on their way: what every body store needs, whatever its medium.
  {
    name: 'transfer',
    files: inExchange('store/transfer'),
    knows: ['ports'],
    packages: /^node:(crypto|os|worker_threads)$/,
  },
  {
    name: 'disk',
    files: inExchange('store/disk'),
    knows: ['ports', 'transfer'],
    packages: /^node:(crypto|fs|fs\/promises|path)$/,
  },
  {
    name: 's3',
    files: inExchange('store/s3'),
    knows: ['ports', 'transfer'],
    packages: /^(node:(crypto|stream)|@aws-sdk\/client-s3)$/,
  },
  { name: 'keys', files: inExchange('keys'), knows: ['ports'], packages: /^node:crypto$/ },
  { name: 'backup', files: inExchange('backup'), knows: ['ports'], packages: /^node:crypto$/ },
  {
    name: 'mailbox',
    files: inExchange('mailbox'),
    knows: ['protocol', 'demographics', 'ports', 'keys'],
    packages: pureNode,
  },
  {
    name: 'message',
    files: inExchange('message'),
    knows: ['protocol', 'demographics', 'ports', 'keys', 'mailbox'],
    packages: pureNode,
  },
  {
    name: 'jobs',
    files: inExchange('jobs'),
    knows: ['protocol', 'ports', 'mailbox', 'message'],
    packages: /^node:(crypto|diagnostics_channel|path|timers\/promises|util)$/,
  },
  {
    name: 'tls',
    files: inExchange('http/tls'),
    knows: ['auth', 'porch'],
    packages: /^(node:(crypto|fs\/promises|http|https|net|tls)|reflect-metadata|@peculiar\/x509)$/,
  },
  {
    name: 'auth',
    files: inExchange('http/auth'),
    knows: ['protocol', 'ports', 'mailbox', 'tls'],
    packages: /^node:(crypto|https|tls)$/,
  },
  {
    name: 'machines',
    files: inExchange('api/machines'),
    knows: ['protocol', 'ports', 'mailbox', 'message', 'porch'],
    packages: /^node:(util|zlib)$/,
  },
  {
    name: 'sandbox-routes',
    files: inExchange('api/sandbox'),
    knows: ['protocol', 'ports', 'mailbox', 'message', 'jobs', 'machines', 'porch'],
    packages: pureNode,
  },
  { name: 'operators', files: inExchange('api/operators'), knows: ['porch'], packages: /^fastify$/ },
  {
    name: 'porch',
    files: inExchange('http'),
    knows: ['protocol', 'ports', 'config', 'message', 'auth', 'tls', 'machines', 'operators'],
    packages:
      /^(node:(crypto|diagnostics_channel|events|fs|fs\/promises|http|https|net|perf_hooks|timers\/promises|tls|v8|vm)|fastify|pino|prom-client)$/,
  },
  // Hung around the ledger and told of requests by whoever composes: neither knows of it.
  {
    name: 'traces',
    files: inExchange('traces'),
    knows: ['protocol', 'ports', 'porch'],
    packages: /^node:(crypto|http|https)$/,
  },
  {
    name: 'cli',
    files: inExchange('cli'),
    knows: ['protocol', 'config', 'ports', 'keys', 'backup', 'mailbox', 'message', 'auth', 'tls', 'traces', 'compose'],
    packages: /^node:(crypto|fs|fs\/promises|net|os|path|util)$/,
  },
  { name: 'compose', files: /^packages\/exchange\/src\/(compose\/|[^/]+\.ts$)/, knows: 'everyone' },
  { name: 'sandbox', files: /^packages\/sandbox\/src\//, knows: 'everyone' },
  // The SDK is published: Node and the protocol, nothing else. The command is built on it, and nothing on the command.
  {
    name: 'mesh',
    files: /^packages\/sdk\/src\/cli\//,
    knows: ['protocol', 'sdk'],
    packages: /^node:(crypto|events|fs|fs\/promises|path|util)$/,
  },
  { name: 'sdk', files: /^packages\/sdk\/src\//, knows: ['protocol'], packages: /^node:/ },
  // The folder client: what lies in folders, what is remembered, and the work on a mailbox, built on the SDK.
  { name: 'client-texts', files: inClient('(xml|control-file)'), knows: ['sdk'], packages: nothingFromOutside },
  {
    name: 'client-config',
    files: inClient('config'),
    knows: ['protocol', 'client-texts'],
    packages: /^(node:(child_process|fs|path)|yaml)$/,
  },
  { name: 'client-keystore', files: inClient('keystore'), knows: [], packages: /^node:crypto$/ },
  {
    name: 'client-folders',
    files: inClient('folders'),
    knows: ['client-config'],
    packages: /^node:(crypto|fs|fs\/promises|path|timers\/promises)$/,
  },
  {
    name: 'client-journal',
    files: inClient('journal'),
    knows: ['client-texts', 'client-folders'],
    packages: /^node:sqlite$/,
  },
  {
    name: 'client-observe',
    files: inClient('observe'),
    knows: ['client-config', 'client-keystore', 'client-journal', 'client-mailbox'],
    packages: /^(node:(child_process|crypto|fs|fs\/promises|http|os|path)|prom-client)$/,
  },
  {
    name: 'client-mailbox',
    files: /^packages\/client\/src\/((send|receive|mailbox)\/|steps\.ts$)/,
    knows: ['protocol', 'sdk', 'client-texts', 'client-config', 'client-folders', 'client-journal', 'client-observe'],
    packages: /^node:(diagnostics_channel|fs|fs\/promises|os|path|sqlite|stream|stream\/promises|zlib)$/,
  },
  {
    name: 'client-compose',
    files: /^packages\/client\/src\/(compose\/|cli\/|[^/]+\.ts$)/,
    knows: [
      'protocol',
      'sdk',
      'client-texts',
      'client-config',
      'client-keystore',
      'client-folders',
      'client-journal',
      'client-observe',
      'client-mailbox',
    ],
    packages:
      /^(node:(child_process|crypto|fs|fs\/promises|http|os|path|stream\/consumers|timers\/promises|tls|util)|prom-client)$/,
  },
];

/** A file's room; undefined when it lies outside the house. */
export function roomOf(path: string): Room | undefined {
  return rooms.find(({ files }) => files.test(path));
}

/** Each import that its room may not have, as a sentence. Tests and contract suites may know everyone. */
export function forbiddenImports(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => /^packages\/[a-z-]+\/src\/.*\.ts$/.test(path) && !/\.(test|contract)\.ts$/.test(path))
    .flatMap((file) => {
      const room = roomOf(file.path);
      if (room === undefined) return [`${file.path} lies in no room of the house`];
      return importsOf(file)
        .filter((target) => !mayImport(room, target))
        .map((target) => `${file.path}: ${room.name} may not know ${target}`);
    });
}

function mayImport(room: Room, target: string): boolean {
  if (!target.startsWith('packages/')) {
    return !/^(bench|tests|scripts)\//.test(target) && (room.packages?.test(target) ?? true);
  }
  const other = roomOf(target);
  if (other === undefined) return false;
  if (other === room) return true;
  // Only the sandbox stands outside the exchange and looks in; nobody looks back.
  if (other.name === 'sandbox') return false;
  return room.knows === 'everyone' || room.knows.includes(other.name);
}
