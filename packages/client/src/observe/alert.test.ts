import { expect, it } from 'vitest';
import { Alerts } from './alert.ts';

const hourMs = 3_600_000;

it('raises an alert again an hour after the last, and when the clock was set back since', async () => {
  const raised = Promise.withResolvers<void>();
  let count = 0;
  let nowMs = 100 * hourMs;
  // One that cannot be started says so for each time it was to be.
  const alerts = new Alerts(
    '/nowhere/alert',
    () => nowMs,
    () => {
      count += 1;
      if (count === 4) raised.resolve();
    },
  );
  const raiseAfter = (passedMs: number): void => {
    nowMs += passedMs;
    alerts.raise('mailbox-disturbed', 'A', 'sentence');
  };
  for (const passedMs of [0, hourMs - 1, 1, -50 * hourMs, hourMs - 1, 1]) raiseAfter(passedMs);
  await raised.promise;
  expect(count).toBe(4);
});
