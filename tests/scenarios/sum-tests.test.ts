import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../architecture/source-tree.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const run = promisify(execFile);
const script = join(repositoryRoot, 'scripts/sum-tests.js');

const assertion = (status: string) => ({ fullName: `a promise (${status})`, status });
const reportOf = (...statuses: readonly string[]) => ({
  testResults: [
    {
      name: 'some.test.ts',
      status: statuses.includes('failed') ? 'failed' : 'passed',
      assertionResults: statuses.map(assertion),
    },
  ],
});
const brokenFile = { testResults: [{ name: 'broken.test.ts', status: 'failed', assertionResults: [] }] };

/** The last line and the exit status of the sum over runs of the given exit status and report; null is no report. */
async function sum(runs: readonly { readonly status: number; readonly report: unknown }[]) {
  await using folder = await temporaryFolder('sum-tests');
  const args = runs.map(({ status, report }, index) => {
    const path = join(folder.path, `${index}.json`);
    if (report !== null) writeFileSync(path, JSON.stringify(report));
    return `run${index}=${status}=${path}`;
  });
  const ended = await run(process.execPath, [script, 'step=0=', ...args]).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  return { line: ended.stdout.trimEnd().split('\n').at(-1), code: ended.code };
}

describe('the closing line of the whole run', () => {
  it('sums the tests of all runs, and ends well when nothing failed', async () => {
    const runs = [
      { status: 0, report: reportOf('passed', 'passed') },
      { status: 0, report: reportOf('passed') },
    ];
    expect(await sum(runs)).toEqual({ line: '3 passed, 0 failed', code: 0 });
  });

  it.each([
    ['a test that failed', 1, reportOf('passed', 'failed'), '2 passed, 1 failed'],
    ['a test that was skipped', 0, reportOf('passed', 'skipped'), '2 passed, 1 failed'],
    ['a test still to be written', 0, reportOf('passed', 'todo'), '2 passed, 1 failed'],
    ['a file that does not load', 1, brokenFile, '1 passed, 1 failed'],
    ['a run that found no test', 0, { testResults: [] }, '1 passed, 1 failed'],
    ['a run that left no report', 0, null, '1 passed, 1 failed'],
    ['a run that ended badly though its tests passed', 1, reportOf('passed'), '2 passed, 1 failed'],
  ])('counts %s as failed', async (_what, status, report, line) => {
    expect(
      await sum([
        { status: 0, report: reportOf('passed') },
        { status, report },
      ]),
    ).toEqual({ line, code: 1 });
  });
});
