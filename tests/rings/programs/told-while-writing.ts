// Writes in the folder given, and is told of a signal again and again meanwhile.

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const writes = 20_000;

const told = { times: 0 };
process.on('SIGUSR2', () => {
  told.times += 1;
});
const teller = new Worker(`setInterval(() => process.kill(process.pid, 'SIGUSR2'), 0)`, { eval: true });
const file = openSync(join(process.argv[2] ?? '.', 'file'), 'w');
while (told.times < 20) {
  for (let at = 0; at < writes; at += 1) writeSync(file, 'x');
  await new Promise((resolve) => setImmediate(resolve));
}
closeSync(file);
await teller.terminate();
