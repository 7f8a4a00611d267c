// Sums the JSON reports of several test runs into one line, "N passed, N failed". Each argument is
// NAME=EXIT-STATUS=REPORT-FILE, the last part empty for a step that runs no tests. Whatever makes a run doubtful counts as failed: a test that was skipped, a file that did
// not load, a report that is missing, a run that ended badly although no test of it failed. Plain JavaScript, since it
// must run, and say so, even where the installation failed.
import { readFileSync } from 'node:fs';

/** What one run counts for: { passed, failed, why }. `why` names each doubtful thing in a sentence. */
function countRun({ name, status, path }) {
  if (path === '') {
    const why = status === 0 ? [] : [`${name}: ended with exit status ${status}`];
    return { passed: 0, failed: why.length, why };
  }
  const report = readReport(path);
  if (report === undefined) {
    return { passed: 0, failed: 1, why: [`${name}: ended with exit status ${status} and left no report of tests`] };
  }
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const why = tests
    .filter((test) => test.status !== 'passed')
    .map((test) => `${name}: ${test.fullName.trim()} (${test.status})`);
  for (const file of report.testResults) {
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      why.push(`${name}: ${file.name} failed outside its tests`);
    }
  }
  if (tests.length === 0 && why.length === 0) why.push(`${name}: ran no test`);
  if (status !== 0 && why.length === 0) why.push(`${name}: ended with exit status ${status}`);
  return { passed, failed: why.length, why };
}

function readRun(argument) {
  const [name, status, path] = argument.split('=');
  return { name, status: Number(status), path };
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

const counts = process.argv.slice(2).map((argument) => countRun(readRun(argument)));
for (const { why } of counts) for (const sentence of why) process.stdout.write(`failed: ${sentence}\n`);
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0 || passed === 0) process.exitCode = 1;
