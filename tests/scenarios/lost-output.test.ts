import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));

let folder: TemporaryFolder;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  folder = await temporaryFolder('lost-output');
  const exchange = new ExchangeFolder(folder.path);
  mkdirSync(exchange.data);
  exchange.addMailboxes(['SENDER']);
  const client = join(packages, programs['openmesh-client'].file);
  const init = ['init', join(folder.path, 'client'), '--mailbox', 'A', '--url', 'https://localhost:1'];
  execFileSync(process.execPath, [client, ...init], { stdio: 'pipe' });
  writeFileSync(join(folder.path, 'client/password'), 'p\n');
  // Nobody listens on port 1.
  env = {
    ...exchange.env,
    MESH_URL: 'http://127.0.0.1:1',
    MESH_MAILBOX: 'A',
    MESH_PASSWORD: 'p',
    MESH_SHARED_KEY: 'k',
  };
});
afterAll(() => folder.remove());

interface Program {
  readonly file: string;
  /** Its exit code when standard output cannot be written. */
  readonly unwritten: number;
  /** Says no on standard output, and ends with that code. */
  readonly no: readonly [args: readonly string[], code: number];
}

const programs = {
  mesh: { file: 'sdk/src/cli/start.ts', unwritten: 66, no: [['doctor'], 1] },
  'openmesh-exchange': {
    file: 'exchange/src/cli/main.ts',
    unwritten: 73,
    no: [['preflight', '--from', 'SENDER', '--to', 'NOBODY', '--workflow', 'W'], 1],
  },
  'openmesh-client': {
    file: 'client/src/cli/main.ts',
    unwritten: 73,
    no: [['status', 'FOLDER/client/openmesh-client.yaml'], 5],
  },
} as const satisfies Readonly<Record<string, Program>>;

/** What standard output and standard error are: read to the end, a full disk, or a pipe whose reader has gone. */
type Sink = 'read' | 'full' | 'gone';

async function run(
  { file }: Program,
  args: readonly string[],
  { out = 'read', err = 'read' }: { readonly out?: Sink; readonly err?: Sink },
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const full = openSync('/dev/full', 'w');
  try {
    const inFolder = args.map((arg) => arg.replace('FOLDER', folder.path));
    const child = spawn(process.execPath, [join(packages, file), ...inFolder], {
      stdio: ['ignore', out === 'full' ? full : 'pipe', err === 'full' ? full : 'pipe'],
      env: { PATH: process.env['PATH'], ...env },
    });
    const closed = once(child, 'close');
    if (out === 'gone') child.stdout?.destroy();
    if (err === 'gone') child.stderr?.destroy();
    const [printed, said] = await Promise.all([
      out === 'read' && child.stdout !== null ? text(child.stdout) : '',
      err === 'read' && child.stderr !== null ? text(child.stderr) : '',
    ]);
    const [code] = (await closed) as [number | null];
    return { code, out: printed, err: said };
  } finally {
    closeSync(full);
  }
}

describe.each<[string, Program]>(Object.entries(programs))('%s', (_name, program) => {
  const [no, noCode] = program.no;

  it('ends as it would when the reader of its output has seen enough', async () => {
    expect(await run(program, ['--help'], { out: 'gone' })).toEqual({ code: 0, out: '', err: '' });
    const heard = await run(program, no, {});
    expect(heard).toMatchObject({ code: noCode, out: expect.stringMatching(/./) });
    expect(await run(program, no, { out: 'gone' })).toEqual({ code: noCode, out: '', err: heard.err });
  });

  it('says in a sentence, and by its exit code, that its output has no room', async () => {
    const outcome = await run(program, ['--help'], { out: 'full' });
    expect(outcome).toMatchObject({ code: program.unwritten, err: expect.stringMatching(/^[^\n]*ENOSPC[^\n]*\n$/) });
  });

  it.each(['gone', 'full'] as const)('ends with its own code when what it says of errors is lost (%s)', async (err) => {
    expect(await run(program, ['no-such-command'], { err })).toMatchObject({ code: 64 });
  });
});
