// Prints the bill of materials of what is shipped, as CycloneDX JSON, from the lock file alone.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
const bill = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }));

// npm leaves out by --omit=dev also what is shipped and needed for development as well: the lock file knows better.
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const shipped = new Set(
  Object.entries(packages)
    .filter(([path, { dev, optional }]) => path.includes('node_modules/') && dev !== true && optional !== true)
    .map(
      ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`,
    ),
);
const own = (name) => name.startsWith('@openmesh/');
bill.components = bill.components.filter(({ name, version }) => own(name) || shipped.has(`${name}@${version}`));
const kept = new Set([...bill.components.map((component) => component['bom-ref']), bill.metadata.component['bom-ref']]);
bill.dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
process.stdout.write(`${JSON.stringify(bill, undefined, 2)}\n`);
