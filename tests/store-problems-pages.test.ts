import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyStoreProblems } from '@openmesh/exchange/store/body-store-problem.ts';
import { ledgerProblems } from '@openmesh/exchange/store/ledger-problem.ts';
import { expect, it } from 'vitest';
import { repositoryRoot } from './architecture/source-tree.ts';

it.each([
  ['s3.md', bodyStoreProblems],
  ['postgres.md', ledgerProblems],
])('docs/operate/%s lists every problem of the check at the start as the exchange says it', (name, problems) => {
  const page = readFileSync(join(repositoryRoot, 'docs/operate', name), 'utf8');
  const rows = page.slice(page.indexOf('| What it says |')).split('\n\n')[0]?.split('\n').slice(2);
  expect(rows).toEqual(Object.values(problems).map(({ sentence, hint }) => `| ${sentence} | ${hint} |`));
});
