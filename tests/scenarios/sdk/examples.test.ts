import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../architecture/source-tree.ts';
import { RunningSandbox } from '../../kit/running-sandbox.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const run = promisify(execFile);

/** In an order in which each finds what it needs, with a line of what it prints. */
const examples: readonly (readonly [string, RegExp])[] = [
  ['handshake', /^X26ABC1 at http:\/\/127\.0\.0\.1:\d+ is good$/m],
  ['renew-tls', /^still good/m],
  ['send', /^sent \S+, 15 bytes$/m],
  ['list', /^[1-9]\d* wait$/m],
  ['resume-upload', /^4 of 10 chunks\n[^]*^10 of 10 chunks\nsent \S+$/m],
  ['lost-answer', /^sent \S+, and once$/m],
  ['download', /^1000000 bytes in a file: true$/m],
  ['send', /^sent/m],
  ['receive', /^\S+ from X26ABC1: Discharge summary, [0-9a-f]{64}$/m],
  ['track', /^accepted by X26ABC3, to be collected until 2/m],
  ['lookup', /^X26 receives it at X26ABC2 \(TESTMB2\)$/m],
  ['preflight', /^to X26ABC2: would be accepted\nto X26NOBODY: \S/m],
  ['doctor', /^nothing keeps this mailbox from working$/m],
  ['errors', /^send was refused: unregistered-recipient, 417 12$/m],
];

describe('the examples', () => {
  let sandbox: RunningSandbox;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder('examples');
    sandbox = await RunningSandbox.start({ dataFolder: folder.path });
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    await folder.remove();
  });

  it('are all run here', () => {
    const programs = readdirSync(join(repositoryRoot, 'examples')).filter((name) => name.endsWith('.ts'));
    expect([...new Set(examples.map(([name]) => `${name}.ts`)), 'connect.ts'].sort()).toEqual(programs.sort());
  });

  it.each(examples)('%s does what it says, against a running sandbox', async (name, line) => {
    const env = { ...process.env, MESH_URL: sandbox.url };
    const { stdout, stderr } = await run(process.execPath, [`examples/${name}.ts`], { cwd: repositoryRoot, env });
    expect(stderr).toBe('');
    expect(stdout).toMatch(line);
  });
});
