// Every way in which Node changes files that the exchange may use, in the folder given.

import { once } from 'node:events';
import {
  closeSync,
  createWriteStream,
  fdatasyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { appendFile, mkdir, open, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';
const at = (name: string): string => join(folder, name);

await mkdir(at('days/one'), { recursive: true });
const handle = await open(at('days/one/body'), 'w+');
await handle.write(Buffer.from('positioned'), 0, 10, 8192);
await handle.writev([Buffer.from('first '), Buffer.from('second')], 0);
await handle.write(Buffer.from('at the cursor'));
await handle.truncate(8195);
await handle.datasync();
await handle.close();
await rename(at('days/one/body'), at('days/body'));
await writeFile(at('whole'), 'whole');
await appendFile(at('whole'), ' and more');
await writeFile(at('rewritten'), 'long ago');
await writeFile(at('rewritten'), 'now');
const stream = createWriteStream(at('streamed'));
for (let piece = 0; piece < 50; piece += 1) stream.write(Buffer.alloc(5000, piece));
stream.end();
await once(stream, 'close');
const file = openSync(at('sync'), 'a');
writeSync(file, 'text');
writevSync(file, [Buffer.from('a'), Buffer.from('b')]);
fdatasyncSync(file);
closeSync(file);
linkSync(at('sync'), at('linked'));
await unlink(at('sync'));
await writeFile(at('days/one/gone'), 'x');
await rm(at('days/one/gone'));
await rmdir(at('days/one'));
mkdirSync(at('tree/of/folders'), { recursive: true });
await writeFile(at('tree/of/folders/leaf'), 'x');
rmSync(at('tree'), { recursive: true });
