// Says it is ready, tells what it was given, and dies as told: enough to test the kit's grip on a process.
import { channel } from 'node:diagnostics_channel';

const mode = process.argv[2];
if (mode === 'fails') {
  process.stderr.write('no such setting\n');
  process.exit(78);
}
process.on('SIGTERM', () => process.exit(0));
process.stdout.write('warming up\n');
process.stdout.write(
  `${Object.keys(process.env)
    .filter((name) => name.startsWith('OPENMESH_'))
    .join(',')}\n`,
);
process.stderr.write('ready machines=http://127.0.0.1:1 operators=http://127.0.0.1:2\n');
const point = channel('openmesh:before-answer');
setInterval(() => point.publish(undefined), 1);
