import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleRecord } from '@openmesh/exchange/store/ledger/routing-records.ts';
import type { MailboxId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import { organisationOf } from '../../kit/gp-exchange.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { usualMailboxes } from '../../kit/seeded-registry.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

guardLeaks();

const dayMs = 86_400_000;
const organisation = (active: boolean) => organisationOf('Y99', { active });

const rule = (reviewOnMs: number): RuleRecord => ({
  ruleId: 'move-abc3',
  version: 1,
  action: 'redirect',
  status: 'approved',
  target: 'X26ABC1' as MailboxId,
  ifSender: null,
  ifRecipient: 'Y99ABC3' as MailboxId,
  workflowId: null,
  includeReports: false,
  approvalId: null,
  chainConfirmed: false,
  fallbackConfirmed: false,
  activeFromMs: 0,
  activeToMs: null,
  reviewOnMs,
  papers: {
    reason: 'move',
    lawfulBasis: 'direct care',
    requestedBy: 'practice',
    agreedByRecipient: 'letter',
    agreedByTarget: 'letter',
    senderReason: '',
    proposedBy: 'one',
    proposedAtMs: 0,
    decidedBy: 'two',
    decidedAtMs: 0,
  },
});

/** An exchange whose operator is a program that writes down what it is told, or refuses to listen. */
class Watched implements AsyncDisposable {
  readonly exchange: ExchangeInProcess;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;

  private constructor(exchange: ExchangeInProcess, folder: Awaited<ReturnType<typeof temporaryFolder>>) {
    this.exchange = exchange;
    this.#folder = folder;
  }

  static async start(): Promise<Watched> {
    const folder = await temporaryFolder('alerts');
    const command = join(folder.path, 'tell');
    const told = join(folder.path, 'told');
    // A name that no shell and no list of arguments may take apart is a line of its own.
    writeFileSync(
      command,
      `#!/bin/sh\n[ -e '${told}.deaf' ] && exit 3\nprintf '%s\\n' "$1|$2|$3" >>'${told}'\nenv >'${told}.env'\n`,
    );
    chmodSync(command, 0o755);
    const settings = { OPENMESH_ALERT_COMMAND: command };
    const exchange = await ExchangeInProcess.start({ tls: 'off', settings, seeds: { mailboxes: usualMailboxes } });
    return new Watched(exchange, folder);
  }

  get #told(): string {
    return join(this.#folder.path, 'told');
  }

  /** What the program was told since it was last asked. */
  async told(): Promise<readonly string[]> {
    await this.exchange.rooms.clockwork.runAll();
    if (!existsSync(this.#told)) return [];
    const lines = readFileSync(this.#told, 'utf8').trimEnd().split('\n');
    rmSync(this.#told);
    return lines;
  }

  deafen(isDeaf: boolean): void {
    if (isDeaf) writeFileSync(`${this.#told}.deaf`, '');
    else rmSync(`${this.#told}.deaf`);
  }

  environment(): string {
    return readFileSync(`${this.#told}.env`, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.exchange.stop();
    await this.#folder.remove();
  }
}

async function close({ exchange }: Watched): Promise<void> {
  const { directory } = exchange.rooms.ledger;
  await directory.put({ organisations: [organisation(true)], links: [], atMs: exchange.clock.nowMs() });
  await directory.put({ organisations: [organisation(false)], links: [], atMs: exchange.clock.nowMs() });
}

describe('an operator who has named a program', () => {
  it('is told once that an organisation with a mailbox closed', async () => {
    await using watched = await Watched.start();
    await close(watched);
    expect(await watched.told()).toEqual(['organisation-closed|Y99|closed']);
    expect(await watched.told()).toEqual([]);
  });

  it('is told that the review of a rule is due, and after a week again while it is', async () => {
    await using watched = await Watched.start();
    const { exchange } = watched;
    await exchange.change({ rules: [rule(exchange.clock.nowMs() + dayMs)] });
    expect(await watched.told()).toEqual([]);
    exchange.clock.advance(2 * dayMs);
    const due = await watched.told();
    expect(due).toEqual([expect.stringMatching(/^rule-check\|move-abc3\|rule move-abc3: its review was due on /)]);
    exchange.clock.advance(6 * dayMs);
    expect(await watched.told()).toEqual([]);
    exchange.clock.advance(2 * dayMs);
    expect(await watched.told()).toEqual(due);
  });

  it('is told by the next round, or the next process, what the program would not hear', async () => {
    await using watched = await Watched.start();
    watched.deafen(true);
    await close(watched);
    expect(await watched.told()).toEqual([]);
    expect(watched.exchange.logLines.join('')).toContain('"event":"alert-not-told","reason":"alert-command-failed"');
    watched.deafen(false);
    await watched.exchange.restart();
    expect(await watched.told()).toEqual(['organisation-closed|Y99|closed']);
  });

  it('gives that program none of the exchange’s settings, among which are secrets', async () => {
    process.env.OPENMESH_SHARED_KEY = 'a secret';
    try {
      await using watched = await Watched.start();
      await close(watched);
      await watched.told();
      expect(watched.environment()).not.toContain('OPENMESH_');
    } finally {
      delete process.env.OPENMESH_SHARED_KEY;
    }
  });
});
