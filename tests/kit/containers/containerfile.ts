import { readFileSync } from 'node:fs';

/** The instructions that are done while an image is made. */
export type BuildStep =
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'copy'; readonly sources: readonly string[]; readonly target: string }
  | { readonly kind: 'environment'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'user'; readonly name: string };

/** A Containerfile of one base, as far as it can be followed without a container engine. */
export interface Containerfile {
  readonly base: string;
  readonly steps: readonly BuildStep[];
  readonly ports: readonly number[];
  /** For a shell inside; undefined when there is none. */
  readonly healthCommand: string | undefined;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Reads it. Throws for an instruction, or a form of one, that is not followed here: nothing of the file is passed over. */
export function readContainerfile(path: string): Containerfile {
  const file = {
    base: '',
    steps: [] as BuildStep[],
    ports: [] as number[],
    healthCommand: undefined as string | undefined,
    entrypoint: [] as readonly string[],
    command: [] as readonly string[],
  };
  for (const line of instructionsIn(readFileSync(path, 'utf8'))) {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (file.base === '' && word !== 'FROM') throw new Error(`before a base: ${line}`);
    if (word === 'FROM' && file.base === '' && !/\s/.test(rest)) file.base = rest;
    else if (word === 'EXPOSE') file.ports.push(...rest.split(/\s+/).map(Number));
    else if (word === 'HEALTHCHECK') file.healthCommand = healthCommandOf(rest);
    else if (word === 'ENTRYPOINT') file.entrypoint = wordsOf(rest);
    else if (word === 'CMD') file.command = wordsOf(rest);
    else file.steps.push(stepOf(word, rest));
  }
  return file;
}

function instructionsIn(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

function stepOf(word: string, rest: string): BuildStep {
  const notFollowed = new Error(`not followed here: ${word} ${rest}`);
  if (word === 'RUN' && !/^(\[|--|<<)/.test(rest)) return { kind: 'run', command: rest };
  if (word === 'USER') return { kind: 'user', name: rest };
  if (rest.includes('$')) throw notFollowed;
  if (word === 'WORKDIR' && rest.startsWith('/')) return { kind: 'folder', path: rest };
  if (word === 'COPY' && !/^(\[|--)/.test(rest)) {
    const sources = rest.split(/\s+/);
    const target = sources.pop() ?? '';
    if (sources.length === 1 || target.endsWith('/')) return { kind: 'copy', sources, target };
  }
  if (word === 'ENV') {
    const pairs = rest.split(/\s+/).map((pair) => /^(\w+)=([^"'\\]*)$/.exec(pair) ?? []);
    if (pairs.every((pair) => pair.length === 3)) {
      return {
        kind: 'environment',
        values: Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value])),
      };
    }
  }
  throw notFollowed;
}

function wordsOf(rest: string): readonly string[] {
  const words: unknown = JSON.parse(rest);
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
    throw new Error(`not a list of words: ${rest}`);
  }
  return words;
}

function healthCommandOf(rest: string): string {
  const command = /^(?:--[a-z-]+=\S+\s+)*CMD\s+([^[].*)$/.exec(rest)?.[1];
  if (command === undefined) throw new Error(`not followed here: HEALTHCHECK ${rest}`);
  return command;
}
