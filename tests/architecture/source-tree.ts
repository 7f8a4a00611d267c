import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

const notOurs: ReadonlySet<string> = new Set(['node_modules', '.build', 'dist', 'coverage', '.git', '.openmesh']);
const notWritten: ReadonlySet<string> = new Set(['bench/results', 'package-lock.json']);
const textEndings = /\.(ts|js|mjs|cjs|c|h|json|md|sql|yaml|yml|sh|txt|toml)$|\/\.?(run|npmrc|gitignore|Containerfile)$/;
const codeEndings = /\.(ts|js|mjs|cjs|c|h)$|^\.ci\/run$/;

/** Every text file somebody wrote, in the order of its path; what tools made is left out. */
export function readSourceTree(): readonly SourceFile[] {
  return walk('')
    .sort()
    .filter((path) => textEndings.test(`/${path}`))
    .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }));
}

/** Those of `files` that a machine runs or compiles. */
export function codeOf(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => codeEndings.test(path));
}

/** Those that ship with the exchange: no tests and no contract suites. */
export function shippedExchangeOf(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(
    ({ path }) => /^packages\/exchange\/src\/.*\.ts$/.test(path) && !/\.(test|contract)\.ts$/.test(path),
  );
}

function walk(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (notOurs.has(entry.name) || notWritten.has(path)) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}
