// Runs a tool of node_modules/.bin, or a TypeScript file, under Node 24 whatever Node the host has.
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../packages/exchange/bin/node24.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [tool, ...args] = process.argv.slice(2);
const node = findNode24();
if (tool === undefined || node === undefined) {
  process.stderr.write(
    tool === undefined
      ? 'usage: with-node24 TOOL|FILE.ts [ARG...]\n'
      : 'Node 24 is missing: run "npm ci" without --omit=optional.\n',
  );
  process.exit(78);
}
const program = tool.endsWith('.ts') ? tool : realpathSync(join(root, 'node_modules', '.bin', tool));
const env = { ...process.env, PATH: dirname(node) + delimiter + (process.env.PATH ?? '') };
const child = spawn(node, [program, ...args], { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? code : 128));
