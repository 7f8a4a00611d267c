import { basename } from 'node:path/posix';
import type { SourceFile } from './source-tree.ts';

export const linesMax = 300;

const drawers = ['util', 'utils', 'helper', 'helpers', 'common', 'shared', 'misc', 'manager', 'data', 'info'];
const drawerExport = /^export (?:abstract )?(?:async )?(?:function|const|class|interface|type|enum) (\w+)/gm;
const drawerEnding = /(Utils?|Helpers?|Manager|Misc|Common|Shared|Data|Info)$/;

/** Code files that are longer than a reader keeps in mind. Tables of SQL and JSON are not code here. */
export function filesTooLong(code: readonly SourceFile[]): readonly string[] {
  return code
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
}

/** Files, folders and exported names that say nothing of what is in them, and file names that are not kebab-case. */
export function namesThatSayNothing(code: readonly SourceFile[]): readonly string[] {
  const paths = code
    .map(({ path }) => path)
    .filter((path) => path.split(/[/.-]/).some((word) => drawers.includes(word)));
  const notKebab = code
    .map(({ path }) => path)
    .filter((path) => !/^\.?[a-z0-9]+([.-][a-z0-9]+)*$/.test(basename(path)));
  const exported = code.flatMap(({ path, text }) =>
    Array.from(text.matchAll(drawerExport), (match) => match[1] ?? '')
      .filter((name) => drawerEnding.test(name))
      .map((name) => `${path} exports ${name}`),
  );
  return [...paths, ...notKebab, ...exported];
}

const sqlText =
  /['"`]\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX)\s|PRAGMA\s|WITH\s+\w+\s+AS\s)/i;

/** SQL text written where `store/sql` is not. */
export function sqlOutsideItsRoom(shipped: readonly SourceFile[]): readonly string[] {
  return shipped
    .filter(({ path, text }) => !path.startsWith('packages/exchange/src/store/sql/') && sqlText.test(text))
    .map(({ path }) => path);
}

/** Shipped files that read the environment of the process. */
export function readersOfTheEnvironment(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => /^packages\/[a-z-]+\/(src|bin)\//.test(path) && !/\.(test|contract)\.ts$/.test(path))
    .filter(({ text }) => /\bprocess\s*(\.\s*env\b|\[\s*['"]env['"])|\benv\b[^;]*\bfrom 'node:process'/.test(text))
    .map(({ path }) => path);
}

// Put together here so that this file is not a finding of its own.
const placesOfOneMachine = [
  ['', 'work', '(main|trees|shared|\\.library)'].join('/'),
  ['', 'root', ''].join('/'),
  ['', 'home', '[a-z]+', ''].join('/'),
  ['\\bshared', '(design|reference|threats|engines|hooks)'].join('/'),
];
const papersElsewhere = ['\\bmesh', 'api\\b'].join('-');
const notHere = new RegExp([...placesOfOneMachine, papersElsewhere].join('|'));

/** Mentions of places and papers that only the machine has on which somebody wrote. */
export function mentionsOfOneMachine(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (notHere.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`] : [])),
  );
}
