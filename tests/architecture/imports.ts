import { posix } from 'node:path';
import type { SourceFile } from './source-tree.ts';

const fromStatement = /^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm;
const bareStatement = /^import\s+['"]([^'"]+)['"]/gm;
const insideExpression = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const besideModule = /\bnew URL\(\s*['"](\.[^'"]+\.[jt]s)['"],\s*import\.meta\.url\s*\)/g;

/**
 * What a file names as another module: statements, types written as `import('…')`, and workers found by their URL.
 * A relative name is answered as a path from the root of the repository; our own packages as the path of their source.
 */
export function importsOf({ path, text }: SourceFile): readonly string[] {
  return [fromStatement, bareStatement, insideExpression, besideModule]
    .flatMap((pattern) => Array.from(text.matchAll(pattern), (match) => match[1] ?? ''))
    .map((name) => resolveName(path, name));
}

function resolveName(path: string, name: string): string {
  if (name.startsWith('.')) return posix.normalize(posix.join(posix.dirname(path), name));
  const [, workspace, rest] = /^@openmesh\/([a-z-]+)(?:\/(.*))?$/.exec(name) ?? [];
  if (workspace === undefined) return name;
  return `packages/${workspace}/src/${rest ?? 'index.ts'}`;
}
