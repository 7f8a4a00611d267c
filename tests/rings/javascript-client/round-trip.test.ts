import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../architecture/source-tree.ts';
import { findHostNode } from '../../kit/host-node.ts';
import { SandboxProcess } from '../../kit/sandbox-process.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const run = promisify(execFile);
const here = join(repositoryRoot, 'tests/rings/javascript-client');
const minuteMs = 60_000;

interface Seen {
  readonly status: number;
  readonly type: string;
  readonly chunkRange: string | null;
  readonly length: number;
  readonly sha256: string;
  readonly acknowledged: number;
}

interface RoundTrip {
  readonly sent: { readonly length: number; readonly sha256: string };
  readonly handshake: number;
  readonly small: number;
  readonly chunked: number;
  readonly nobody: number;
  readonly recipientSaw: { readonly seen: readonly Seen[]; readonly waiting: number };
  readonly senderSaw: { readonly seen: readonly Seen[]; readonly waiting: number };
}

/** The host's own Node, which must be one the client loads on; a sentence says what is missing. */
async function nodeForTheClient(): Promise<string> {
  const node = findHostNode();
  if (node === undefined) throw new Error('there is no node on PATH: the official JavaScript client runs on Node 20');
  const { stdout } = await run(node, ['--version']);
  if (!/^v(18|20)\./.test(stdout)) {
    throw new Error(`the official JavaScript client runs on Node 20, and the node on PATH is ${stdout.trim()}`);
  }
  return node;
}

let folder: TemporaryFolder;
let node: string;

beforeAll(async () => {
  node = await nodeForTheClient();
  folder = await temporaryFolder('javascript-client');
  for (const name of ['package.json', 'package-lock.json', 'round-trip.js']) {
    cpSync(join(here, name), join(folder.path, name));
  }
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder.path, timeout: 5 * minuteMs });
}, 6 * minuteMs);

afterAll(() => folder?.remove());

async function roundTrip({ announcement }: SandboxProcess): Promise<RoundTrip> {
  const { url, sharedKey, mailboxes, authorityFile, clients } = announcement;
  const [sender, recipient] = mailboxes;
  const task = JSON.stringify({ url, sharedKey, sender, recipient, authorityFile, ...clients[0] });
  // A client that asks for one chunk after another without end is ended here, and fails the test.
  const { stdout } = await run(node, ['--no-warnings', join(folder.path, 'round-trip.js'), task], {
    cwd: folder.path,
    timeout: 2 * minuteMs,
    killSignal: 'SIGKILL',
  });
  return JSON.parse(stdout) as RoundTrip;
}

describe('the official JavaScript client', () => {
  it.each([
    ['the sandbox', []],
    ['the true MESH on a laptop', ['--true']],
  ])(
    'sends and collects a small message and a file of three chunks, and a report ends, against %s',
    async (_, args) => {
      // As at the true MESH, a refused send shall leave a report.
      await using sandbox = await SandboxProcess.start(['--memory', ...args], { OPENMESH_REPORT_ON_FAILED_SEND: 'on' });
      const saw = await roundTrip(sandbox);
      expect(saw).toMatchObject({ handshake: 200, small: 202, chunked: 202, nobody: 417 });
      expect(saw.recipientSaw).toMatchObject({
        waiting: 0,
        seen: [
          { status: 200, type: 'DATA', length: 14, acknowledged: 200 },
          { status: 206, type: 'DATA', chunkRange: '3:3', ...saw.sent, acknowledged: 200 },
        ],
      });
      expect(saw.senderSaw).toMatchObject({
        waiting: 0,
        seen: [{ status: 200, type: 'REPORT', chunkRange: null, length: 0, acknowledged: 200 }],
      });
    },
  );
});
