import type { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';
import { lockCounters, moveCounters } from '@openmesh/exchange/store/sql/postgres/counters.ts';
import { isUnasked, sayInPostgres } from '@openmesh/exchange/store/sql/postgres/dialect.ts';
import { claimNonces, readNonces } from '@openmesh/exchange/store/sql/postgres/nonces.ts';
import { lockMessages, putLater, togetherNow } from '@openmesh/exchange/store/sql/postgres/together.ts';
import type { Question } from '@openmesh/exchange/store/sql/question.ts';
import * as directory from '@openmesh/exchange/store/sql/questions/directory.ts';
import * as facts from '@openmesh/exchange/store/sql/questions/facts.ts';
import * as inbox from '@openmesh/exchange/store/sql/questions/inbox.ts';
import * as jobs from '@openmesh/exchange/store/sql/questions/jobs.ts';
import * as messages from '@openmesh/exchange/store/sql/questions/messages.ts';
import { sweepNonces } from '@openmesh/exchange/store/sql/questions/nonces.ts';
import * as records from '@openmesh/exchange/store/sql/questions/records.ts';
import * as resolving from '@openmesh/exchange/store/sql/questions/resolving.ts';
import * as routing from '@openmesh/exchange/store/sql/questions/routing.ts';
import * as workflows from '@openmesh/exchange/store/sql/questions/workflows.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filledId, openFilledLedger } from '../kit/engines/filled-ledger.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { type Plan, PlanReader } from '../kit/engines/postgres-plan.ts';

// How each question finds its rows: by the indexes named, a star where it looks in more than one part of a parted table.
// A bar parts what is as good. A question that is not here only adds rows, by a key that the table checks.
const expected: Readonly<Record<string, string>> = {
  'acknowledge-message': 'message_pkey',
  'acknowledge-message-later': 'message_pkey',
  'add-inline-event': 'message_pkey',
  'append-event': 'event_pkey* message_pkey',
  'change-state': 'message_pkey',
  'count-organisations': 'organisation_pkey',
  'count-out': 'inbox_counter_pkey',
  'delete-entry': 'inbox_entry_pkey',
  'delete-entry-together': 'inbox_entry_pkey',
  'drop-chunks': 'chunk_pkey',
  'drop-deleted-payload': 'payload_pkey',
  'drop-events': 'event_pkey',
  'drop-membership': 'group_membership_pkey',
  'drop-message': 'message_pkey',
  'drop-registration': 'registration_pkey',
  'drop-route-steps': 'route_step_pkey',
  'find-body-ref': 'chunk_body_ref payload_body_ref*',
  'find-by-local-key': 'message_local_key* payload_pkey*',
  'find-chunk': 'chunk_pkey',
  'find-kept-payload': 'payload_pkey',
  'find-mailbox-of': 'mailbox_organisation',
  'find-message': 'message_pkey payload_pkey*',
  'find-message-together': 'message_pkey payload_pkey',
  'find-message-with-body': 'message_pkey payload_pkey*',
  'find-message-with-body-together': 'message_pkey payload_pkey',
  'finish-upload': 'message_pkey',
  'forget-payload': 'payload_pkey',
  'grow-payload': 'payload_pkey',
  'hide-records': 'message_pkey* message_to_hide*',
  'keep-message': 'message_pkey',
  'keep-payload': 'payload_pkey',
  'last-audit': 'audit_pkey',
  'list-alerts': 'directory_alert_pkey',
  'list-alerts-of': 'directory_alert_code',
  'list-approvals': 'approval_pkey',
  'list-due': 'inbox_entry_due',
  'list-due-payloads': 'payload_due*',
  'list-family': 'message_linked* message_origin* message_pkey*',
  'list-groups': 'workflow_group_pkey',
  'list-links': 'organisation_link_pkey',
  'list-memberships': 'group_membership_pkey',
  'list-new-alerts': 'directory_alert_new',
  'list-payload-bodies': 'chunk_pkey payload_pkey',
  'list-registrations': 'registration_pkey',
  'list-removable': 'message_to_remove',
  'list-routing': 'message_unfinished*',
  'list-rules': 'routing_rule_pkey',
  'list-stalled-uploads': 'message_unfinished*',
  'list-traffic': 'message_pkey* payload_pkey*',
  'list-traffic-from': 'message_outbox* payload_pkey*',
  'list-traffic-past': 'message_addressed* payload_pkey*',
  'list-traffic-to': 'message_inbox* payload_pkey*',
  'list-waiting': 'inbox_entry_pkey',
  'list-waiting-together': 'inbox_entry_pkey',
  'list-waiting-workflows': 'inbox_entry_pkey',
  'list-workflows': 'workflow_pkey',
  'lock-counters': 'inbox_counter_pkey',
  'lock-messages': 'message_pkey',
  'mark-announced': 'directory_alert_pkey',
  'move-counters': 'inbox_counter_pkey',
  'move-recipient': 'message_pkey',
  'next-position': 'inbox_counter_pkey',
  'note-routing': 'message_pkey',
  'read-approval': 'approval_pkey',
  'read-audit': 'audit_pkey',
  'read-audit-back': 'audit_pkey',
  'read-chunk-key': 'chunk_pkey',
  'read-events': 'message_pkey',
  'read-group': 'workflow_group_pkey',
  'read-idempotency': 'idempotency_pkey',
  'read-later-events': 'event_pkey',
  'read-link': 'organisation_link_pkey',
  'read-membership': 'group_membership_pkey',
  'read-meta': 'meta_pkey',
  'read-nonces': 'nonce_pkey',
  'read-organisation': 'organisation_pkey',
  'read-position': 'message_pkey',
  'read-registration': 'registration_pkey',
  'read-registry-version': 'registry_version_pkey',
  'read-route-steps': 'route_step_pkey',
  'read-rule': 'routing_rule_pkey',
  'read-state': 'message_pkey',
  'read-state-together': 'message_pkey',
  'read-upload': 'message_pkey payload_pkey',
  'read-waiting': 'inbox_counter_pkey',
  'read-waiting-together': 'inbox_counter_pkey',
  'read-workflow': 'workflow_pkey',
  'record-collection': 'message_inbox',
  'record-collection-later': 'message_pkey | message_inbox message_pkey',
  'replace-body': 'payload_pkey',
  'replace-chunk': 'chunk_pkey',
  'replace-idempotency': 'idempotency_pkey',
  'resolve-message': 'message_pkey',
  'rich-inbox': 'message_inbox* payload_pkey*',
  'rich-outbox': 'message_outbox* payload_pkey*',
  'search-refusals': 'refusal_at',
  'search-refusals-by-address': 'refusal_address | refusal_mailbox',
  'search-refusals-by-certificate': 'refusal_certificate | refusal_mailbox',
  'search-refusals-by-mailbox': 'refusal_mailbox',
  'set-acknowledged-at': 'message_pkey',
  'set-position': 'message_pkey',
  'sweep-idempotency': 'idempotency_due idempotency_pkey',
  'sweep-nonces': 'nonce_due nonce_pkey',
  'sweep-refusals': 'refusal_at refusal_pkey',
  'take-entry': 'inbox_entry_pkey',
  'take-entry-later': 'inbox_entry_pkey',
};

const asked = [directory, facts, inbox, jobs, messages, records, resolving, routing, workflows]
  .flatMap((module) => Object.values(module) as readonly unknown[])
  .filter((each): each is Question<object> => typeof each === 'object' && each !== null && 'sql' in each)
  .concat(sweepNonces)
  .filter((question) => !isUnasked(question))
  .map((question) => ({ name: question.name, sql: sayInPostgres(question), together: false }));
const together = [
  ...Array.from(togetherNow, ([name, { sql }]) => ({ name: `${name}-together`, sql, together: true })),
  ...Array.from(putLater, ([name, { sql }]) => ({ name: `${name}-later`, sql, together: true })),
];
const ofBatches = [claimNonces, readNonces, lockCounters, lockMessages, moveCounters].map(({ name = '', sql }) => ({
  name,
  sql,
  together: true,
}));
const statements = [...asked, ...together, ...ofBatches];

/** Few rows are sorted: of one family, organisation or message, or what was asked at once. */
const sorting = [
  'list-family',
  'list-alerts-of',
  'read-later-events',
  'read-state-together',
  'list-waiting-together',
  'lock-counters',
  'lock-messages',
];
/** Walk an index without looking for anything: a page of all alerts, those of an index of new ones, and a count. */
const walking = ['list-alerts', 'list-new-alerts', 'count-organisations'];

let server: PostgresServer;
let connection: PostgresConnection;
let reader: PlanReader;
beforeAll(async () => {
  server = await PostgresServer.start();
  connection = await openFilledLedger(await server.createDatabase());
  reader = await PlanReader.over(connection, filledId(7, 5));
});
afterAll(async () => {
  await connection.close();
  await server[Symbol.asyncDispose]();
});

function waysOf(name: string): readonly string[] {
  return (expected[name] ?? '').split(' | ');
}

function expectGood(name: string, { unled, sorts }: Plan): void {
  expect(walking.includes(name) ? [] : unled, 'walks without a key').toEqual([]);
  expect(sorting.includes(name) ? 0 : sorts, 'sorts').toBe(0);
}

describe('the plan of each question, on tables whose rows were counted', () => {
  it('is one that this test knows, and of nothing else', () => {
    expect(Object.keys(expected).filter((name) => !statements.some((one) => one.name === name))).toEqual([]);
  });

  it.each(statements)('$name finds its rows by an index, made for its values', async ({ name, sql }) => {
    const plan = await reader.read(sql, 'force_custom_plan');
    expectGood(name, plan);
    expect(waysOf(name)).toContain(plan.walks);
  });

  // What is asked for many at once is sought in every part's index here: which are named is known when it runs.
  it.each(statements)(
    '$name finds its rows by the same index, made for any values',
    async ({ name, sql, together: many }) => {
      const plan = await reader.read(sql, 'force_generic_plan');
      expectGood(name, plan);
      const seen = (walks: string): string => (many ? walks.replaceAll('*', '') : walks);
      expect(waysOf(name).map(seen)).toContain(seen(plan.walks));
    },
  );
});
