#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { runUnderNode24 } from '@openmesh/exchange/node24';

await runUnderNode24(fileURLToPath(new URL('../src/main.ts', import.meta.url)), process.argv.slice(2));
