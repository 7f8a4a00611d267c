import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'deploy/prometheus');
const promtool = (...args: readonly string[]): string =>
  execFileSync('promtool', args, { cwd: folder, encoding: 'utf8' });

it('Prometheus accepts the alert rules', () => {
  expect(promtool('check', 'rules', 'openmesh-alerts.yaml')).toMatch(/SUCCESS: \d+ rules found/);
});

it('the alert rules speak up when they should, and not before', () => {
  expect(promtool('test', 'rules', 'openmesh-alerts.test.yaml')).toContain('SUCCESS');
});
