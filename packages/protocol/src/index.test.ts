import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const sources = readdirSync(new URL('.', import.meta.url))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(new URL(name, import.meta.url), 'utf8') }));

describe('the protocol package', () => {
  it('imports its own files only, so that it runs in a browser as well as in Node', () => {
    const foreign = sources.flatMap(({ name, text }) =>
      [...text.matchAll(/^(?:import|export)[^;]*?from '([^']+)'/gm)]
        .map((match) => match[1] ?? '')
        .filter((path) => !path.startsWith('./'))
        .map((path) => `${name} imports ${path}`),
    );
    expect(sources.length).toBeGreaterThan(20);
    expect(foreign).toEqual([]);
  });

  it('has no dependencies', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as object;
    expect(Object.keys(manifest).filter((key) => key.toLowerCase().includes('dependencies'))).toEqual([]);
  });
});
