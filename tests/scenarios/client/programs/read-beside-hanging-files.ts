// Opens a pipe that nobody writes to as often as asked, which hangs as a lost network share does, then reads a file.
import { open, readFile } from 'node:fs/promises';

const [, , pipe = '', times = '', file = ''] = process.argv;
for (let n = 0; n < Number(times); n += 1) void open(pipe, 'r');
process.stdout.write(await readFile(file, 'utf8'));
// What hangs would keep the process.
process.kill(process.pid, 'SIGKILL');
