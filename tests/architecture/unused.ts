import { importsOf } from './imports.ts';
import type { SourceFile } from './source-tree.ts';

const declared = /^export (?:abstract )?(?:async )?(?:function\*?|const|class|interface|type) (\w+)/gm;

/**
 * Exports of `shipped` files whose name stands in no other file. By the name alone, so it may overlook an unused one that
 * shares its name with something used, and never accuses one that is used.
 */
export function exportsNobodyNames(shipped: readonly SourceFile[], all: readonly SourceFile[]): readonly string[] {
  const filesNaming = new Map<string, Set<string>>();
  for (const { path, text } of all) {
    for (const word of new Set(text.match(/\w+/g))) {
      const naming = filesNaming.get(word) ?? new Set<string>();
      filesNaming.set(word, naming.add(path));
    }
  }
  return shipped.flatMap(({ path, text }) =>
    Array.from(text.matchAll(declared), (match) => match[1] ?? '')
      // What the file itself uses is part of the shape of something else that is used.
      .filter((name) => (text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length === 1)
      .filter((name) => filesNaming.get(name)?.size === 1)
      .map((name) => `${path}: ${name}`),
  );
}

/** Files of `shipped` that no other file imports and no manifest starts. */
export function filesNobodyImports(shipped: readonly SourceFile[], all: readonly SourceFile[]): readonly string[] {
  const imported = new Set(all.flatMap((file) => importsOf(file)));
  return shipped.map(({ path }) => path).filter((path) => !imported.has(path));
}
