import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import { ruleAlertsJob, tellAlertsJob } from '../jobs/alerts.ts';
import type { Job } from '../jobs/clockwork.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { Alert } from '../store/ledger/alerts.ts';
import type { RegistryTable } from '../store/ledger/registry.ts';
import type { Ledger } from '../store/ledger.ts';

const dayMs = 86_400_000;
const soonMs = 30 * dayMs;
const againAfterMs = 7 * dayMs;
const patienceMs = 60_000;
const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Tells an operator by a program of theirs: its arguments are a stable code, what it is about, and a sentence. Resolves to
 * whether it ended with 0; one that hangs is ended. It gets a path and no more of the exchange's surroundings, in which
 * there are secrets.
 */
export function createTeller(command: string, failed: (why: string) => void): (alert: Alert) => Promise<boolean> {
  return async ({ code, subject, sentence }) => {
    const options = { stdio: 'ignore', timeout: patienceMs, env: { PATH: programPath } } as const;
    const child = spawn(command, [code, subject, sentence], options);
    try {
      const [status] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      if (status === 0) return true;
      failed(status === null ? 'alert-command-was-ended' : 'alert-command-failed');
    } catch {
      failed('alert-command-not-started');
    }
    return false;
  };
}

/** All rows of one table, read in pages. */
async function readTable<T extends RegistryTable>(ledger: Ledger, table: T) {
  type Rows = NonNullable<Awaited<ReturnType<Ledger['registry']['page']>>['rows'][T]>;
  const found: Rows[number][] = [];
  for (let at: Parameters<Ledger['registry']['page']>[0] | null = { table, after: null }; at?.table === table; ) {
    const page: Awaited<ReturnType<Ledger['registry']['page']>> = await ledger.registry.page(at);
    found.push(...(page.rows[table] ?? []));
    at = page.next;
  }
  return found;
}

/** What notes alerts of rules, and what tells of all. */
export function composeAlertJobs(parts: {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly clock: ServiceClock;
  readonly log: Log;
}): readonly Job[] {
  const { config, ledger, registry, clock, log } = parts;
  const { command } = config.alerts;
  const failed = (why: string): void => log.warn('alert-not-told', { reason: why });
  const decider = async () => {
    const records = { rules: await readTable(ledger, 'rules'), approvals: await readTable(ledger, 'approvals') };
    return { records, snapshot: registry.current(), nowMs: clock.nowMs() };
  };
  const tell = command === undefined ? undefined : createTeller(command, failed);
  return [
    ruleAlertsJob({ ledger: ledger.alerts, decider, soonMs, againAfterMs }),
    tellAlertsJob({ ledger: ledger.alerts, clock, tell }),
  ];
}
