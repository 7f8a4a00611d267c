import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyStoreProblems } from '@openmesh/exchange/store/body-store-problem.ts';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './architecture/source-tree.ts';

describe('docs/operate/s3.md', () => {
  it('lists every problem of the check at the start as the exchange says it', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/operate/s3.md'), 'utf8');
    const rows = page.slice(page.indexOf('| What it says |')).split('\n\n')[0]?.split('\n').slice(2);
    const problems = Object.values(bodyStoreProblems).map(({ sentence, hint }) => `| ${sentence} | ${hint} |`);
    expect(rows).toEqual(problems);
  });
});
