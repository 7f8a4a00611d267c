#!/usr/bin/env node
// Plain JavaScript on purpose: published, it finds the compiled command beside it and runs on Node 20 and later; in the
// repository there is only TypeScript, which Node 24 runs as it stands.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const compiled = new URL('../dist/cli/main.js', import.meta.url);
const source = new URL('../src/cli/start.ts', import.meta.url);
if (existsSync(compiled)) {
  const { main } = await import(compiled.href);
  await main();
} else {
  const { runUnderNode24 } = await import('@openmesh/exchange/node24');
  await runUnderNode24(fileURLToPath(source), process.argv.slice(2));
}
