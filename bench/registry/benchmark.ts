import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry, type Registry } from '@openmesh/exchange/mailbox/registry.ts';
import type { RegistryRows } from '@openmesh/exchange/store/ledger/registry.ts';
import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import { openSqliteLedger } from '@openmesh/exchange/store/sql/sqlite/ledger.ts';
import { makeCredentials } from '../certificates.ts';
import { type NumberFlags, readFlags } from '../flags.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { registryLines } from '../routing/registry-lines.ts';
import { importFile, ledgerPath, provision } from '../server-under-test.ts';
import { median, rounded } from '../statistics.ts';
import { withWorkDirectory } from '../work-directory.ts';

export const registryFlags = {
  rules: { default: 10_000, min: 10, max: 1_000_000, help: 'copy and redirect rules' },
  mailboxes: { default: 22_000, min: 100, max: 1_000_000, help: 'mailboxes in the registry' },
  registrations: { default: 150_000, min: 10, max: 2_000_000, help: 'registrations for workflows' },
  rounds: { default: 20, min: 1, max: 1000, help: 'changes of each kind' },
} as const satisfies NumberFlags;

export const registrySummary = 'how long a change of a full registry keeps the event loop from requests';

/** Changes a full registry in every way, one row and very many, and takes the longest turn of the event loop meanwhile. */
export async function runRegistry(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, registryFlags);
  return withWorkDirectory(async (directory) => {
    const { files } = await makeCredentials(directory);
    const options = { directory, credentials: files, sharedKey };
    const pairs = mailboxPairs(128);
    await provision(options, mailboxesOf(pairs));
    const file = join(directory, 'registry.ndjson');
    writeFileSync(file, [...registryLines(flags, pairs)].map((line) => `${JSON.stringify(line)}\n`).join(''));
    await importFile(options, file, ['--trust-approvals']);
    const ledger = await openSqliteLedger({
      path: ledgerPath(directory),
      profile: 'live',
      cacheMebibytes: 64,
      queueMax: 1000,
      onBroken: (reason) => {
        throw new Error(reason);
      },
    });
    try {
      return { flags, ...(await measure(ledger, flags.rounds)) };
    } finally {
      await ledger.close();
    }
  });
}

async function measure(ledger: Ledger, rounds: number): Promise<object> {
  const registry = createRegistry({ ledger: ledger.registry, unseal: (sealed) => sealed });
  const first = await longestTurn(() => registry.reload());
  const { mailboxes, rules, registrations } = await ledger.registry.load();
  const changes: Readonly<Record<string, (round: number) => RegistryRows>> = {
    mailbox: (n) => ({ mailboxes: at(mailboxes, n).map((row) => ({ ...row, name: `changed ${n}` })) }),
    rule: (n) => ({ rules: at(rules, n).map((row) => ({ ...row, status: 'ended' })) }),
    registration: (n) => ({ dropRegistrations: at(registrations, n) }),
    thousand: (n) => ({ registrations: registrations.slice(0, 1000).map((row) => ({ ...row, validFromMs: n + 1 })) }),
    everything: (n) => ({ registrations: registrations.map((row) => ({ ...row, validFromMs: n + 2 })) }),
  };
  const figures: Record<string, object> = { start: { longestTurnMs: rounded(first.longestMs) } };
  for (const [name, make] of Object.entries(changes)) {
    const count = name === 'everything' ? Math.min(3, rounds) : rounds;
    figures[name] = await repeat(ledger, registry, count, make);
  }
  return figures;
}

function at<T>(rows: readonly T[], round: number): readonly T[] {
  const index = (round * 97) % rows.length;
  return rows.slice(index, index + 1);
}

async function repeat(
  ledger: Ledger,
  registry: Registry,
  rounds: number,
  make: (round: number) => RegistryRows,
): Promise<object> {
  const turns: number[] = [];
  const took: number[] = [];
  const audit = { atMs: Date.now(), actor: 'benchmark', action: 'registry.change', subject: '', detail: '{}' };
  for (let round = 0; round < rounds; round += 1) {
    const { rowsChanged } = await ledger.registry.change({ ...make(round), audit });
    if (rowsChanged === 0) throw new Error('a change changed nothing');
    const startedMs = performance.now();
    const { longestMs } = await longestTurn(() => registry.reload());
    took.push(performance.now() - startedMs);
    turns.push(longestMs);
  }
  return {
    longestTurnMs: rounded(Math.max(...turns)),
    medianLongestTurnMs: rounded(median(turns)),
    knownAfterMs: rounded(median(took)),
  };
}

/** The longest time between two turns of the event loop while `work` runs: what a request that came meanwhile waited. */
async function longestTurn(work: () => Promise<unknown>): Promise<{ readonly longestMs: number }> {
  let longestMs = 0;
  let lastMs = performance.now();
  let running = true;
  const turn = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  turn();
  return { longestMs };
}
