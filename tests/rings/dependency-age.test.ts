import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const read = (path: string) =>
  JSON.parse(readFileSync(join(repository, path), 'utf8')) as {
    workspaces?: readonly string[];
    dependencies?: Readonly<Record<string, string>>;
  };
/** The end of support of the Node that is shipped: https://nodejs.org/en/about/previous-releases. */
const nodeEnds = { major: 24, on: '2028-04-30' };
const shipped = [
  ...new Set(
    (read('package.json').workspaces ?? []).flatMap((folder) =>
      Object.keys(read(`${folder}/package.json`).dependencies ?? {}),
    ),
  ),
].filter((name) => !name.startsWith('@openmesh/'));

const npm = (...args: readonly string[]): string => execFileSync('npm', args, { cwd: repository, encoding: 'utf8' });

const major = (version: string | undefined): number => Number(version?.split('.')[0]);

it.each(shipped)('%s is not given up, and the major that is installed is at most one behind the newest', (name) => {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { version?: string }>>;
  };
  expect(npm('view', name, 'deprecated').trim()).toBe('');
  const newest = npm('view', name, 'dist-tags.latest').trim();
  expect(major(newest) - major(lock.packages[`node_modules/${name}`]?.version)).toBeLessThan(2);
});

it('the Node that is shipped is supported for half a year to come', () => {
  const platforms = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    optionalDependencies: Readonly<Record<string, string>>;
  };
  for (const version of Object.values(platforms.optionalDependencies)) {
    expect(Number(version.split('.')[0])).toBe(nodeEnds.major);
  }
  expect(Date.parse(nodeEnds.on) - Date.now()).toBeGreaterThan(180 * 86_400_000);
});
