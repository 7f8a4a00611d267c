import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

it('the bill of materials, CycloneDX, lists every package that is shipped, with version, licence and digest', () => {
  const printed = execFileSync(process.execPath, [join(repository, 'scripts/write-sbom.js')], { encoding: 'utf8' });
  const bill = JSON.parse(printed) as {
    bomFormat: string;
    components: readonly { name: string; version: string; licenses?: readonly object[]; hashes?: readonly object[] }[];
  };
  expect(bill.bomFormat).toBe('CycloneDX');
  const listed = new Map(bill.components.map((component) => [`${component.name}@${component.version}`, component]));
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { version?: string; dev?: boolean; optional?: boolean; link?: boolean }>>;
  };
  const shipped = Object.entries(lock.packages).filter(
    ([path, { dev, optional, link }]) =>
      path.includes('node_modules/') && dev !== true && optional !== true && link !== true,
  );
  expect(shipped.length).toBeGreaterThan(20);
  for (const [path, { version }] of shipped) {
    const name = `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`;
    expect(listed.get(name), name).toMatchObject({ licenses: expect.any(Array), hashes: expect.any(Array) });
  }
});
