import { join } from 'node:path';
import { exportLines } from '@openmesh/exchange/mailbox/export-lines.ts';
import { entryKinds } from '@openmesh/exchange/mailbox/import/entry.ts';
import { membershipKey, ruleKey } from '@openmesh/exchange/mailbox/import/merge-routing.ts';
import {
  type CurrentRows,
  indexRows,
  mergeMailbox,
  registrationKey,
} from '@openmesh/exchange/mailbox/import/merge-rows.ts';
import { planImport } from '@openmesh/exchange/mailbox/import/plan-import.ts';
import { credentialContext, type Sealer } from '@openmesh/exchange/mailbox/sealer.ts';
import {
  type CredentialRecord,
  type RegistryRows,
  workflowDefaults,
} from '@openmesh/exchange/store/ledger/registry.ts';
import { openSqliteLedger } from '@openmesh/exchange/store/sql/sqlite/ledger.ts';
import type { MailboxId } from '@openmesh/protocol';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AdminBench, createAdminBench } from '../../kit/admin-command.ts';
import { registryRows } from './registry-rows.ts';

let bench: AdminBench;
beforeEach(async () => {
  bench = await createAdminBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const audit = { atMs: 0, actor: 'a', action: 'b', subject: 'c', detail: '{}' };

/** What the other rows refer to. */
const named: RegistryRows = {
  mailboxes: ['A', 'B', 'C', 'D'].map((name, index) =>
    mergeMailbox(
      { kind: 'mailbox', line: index, mailboxId: name as MailboxId, given: { name: 'n', odsCode: 'O1' } },
      undefined,
    ),
  ),
  workflows: ['V', 'W', 'X'].map((workflowId) => ({ ...workflowDefaults, workflowId })),
  groups: ['G', 'H'].map((groupId) => ({
    groupId,
    number: null,
    name: 'n',
    description: '',
    owner: '',
    restricted: false,
    initiatorIds: [],
    responderIds: [],
  })),
};

/** Passwords that open, each of one mailbox. */
function sealAnew(sealer: Sealer, row: CredentialRecord): CredentialRecord {
  const sealed = sealer.seal(row.sealed, credentialContext(row.credentialId));
  return { ...row, mailboxId: 'A' as MailboxId, sealed };
}

/** As an exchange has them: organisations in capitals, rules that nobody changed after they were made. */
function asMade(rows: RegistryRows, there: CurrentRows, sealer: Sealer): RegistryRows {
  const rules = new Map((rows.rules ?? []).map((rule) => [ruleKey(rule), rule]));
  return {
    ...rows,
    mailboxes: (rows.mailboxes ?? []).map((row) => ({ ...row, odsCode: row.odsCode.toUpperCase() })),
    credentials: (rows.credentials ?? []).map((row) => sealAnew(sealer, row)),
    rules: [...rules.values()].filter((rule) => !there.rules.has(ruleKey(rule))),
  };
}

/** Of rows that are there only, and of no rule, whose versions do not go back. */
function changesOf(rows: RegistryRows, there: CurrentRows): RegistryRows {
  return {
    ...rows,
    credentials: (rows.credentials ?? []).filter((row) => there.credentials.has(row.credentialId)),
    registrations: (rows.registrations ?? []).filter((row) => there.registrations.has(registrationKey(row))),
    memberships: (rows.memberships ?? []).filter((row) => there.memberships.has(membershipKey(row))),
    approvals: (rows.approvals ?? []).filter((row) => there.approvals.has(row.approvalId)),
    certificates: (rows.certificates ?? []).filter((row) => there.certificates.has(row.fingerprint)),
    rules: [],
  };
}

/** A registry of generated rows, in the ledger of the bench. */
async function putGenerated(rows: RegistryRows): Promise<void> {
  const { ledger, sealer } = await bench.session();
  const there = indexRows(await ledger.registry.load());
  await ledger.registry.change({ ...asMade(rows, there, sealer), audit });
}

it('says all that an import needs to make the registry again what it was', async () => {
  const { ledger } = await bench.session();
  await ledger.registry.change({ ...named, audit });
  await fc.assert(
    fc.asyncProperty(registryRows, registryRows, async (before, after) => {
      await putGenerated(before);
      const { out: exported } = await bench.run(['export']);
      await putGenerated(changesOf(after, indexRows(await ledger.registry.load())));
      expect(await bench.run(['import', '-'], exported)).toMatchObject({ status: 0 });
      expect((await bench.run(['export'])).out).toBe(exported);
    }),
    { numRuns: 40 },
  );
}, 60_000);

it('makes the same registry in an empty exchange that has the same secret key', async () => {
  const { ledger, sealer } = await bench.session();
  await ledger.registry.change({ ...named, audit });
  for (const rows of fc.sample(registryRows, { numRuns: 20, seed: 1 })) await putGenerated(rows);
  const { out: exported } = await bench.run(['export']);
  for (const kind of entryKinds) expect(exported).toContain(`"kind":"${kind}"`);
  const options = { cacheMebibytes: 4, queueMax: 10_000, onBroken: (reason: string) => expect.fail(reason) };
  const path = join(bench.folder.path, 'empty.sqlite');
  const empty = await openSqliteLedger({ path, profile: 'live', ...options });
  try {
    const current = await empty.registry.load();
    const { problems, change } = await planImport({ blocks: [Buffer.from(exported)], current, sealer });
    expect(problems).toEqual([]);
    await empty.registry.change({ ...change, audit });
    expect([...exportLines(await empty.registry.load())].join('')).toBe(exported);
  } finally {
    await empty.close();
  }
});
