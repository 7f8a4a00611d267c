import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { MailboxId } from '@openmesh/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptOf, acknowledgeOf, bornAtMs, idOf, newMessage, nonceOf, refusalOf } from '../../ledger-probe.ts';
import { appendAudit, recordRefusals } from '../commands/facts.ts';
import { fileMessages } from '../commands/filing.ts';
import { accept, acknowledge } from '../commands/write-messages.ts';
import type { Question } from '../question.ts';
import * as directory from '../questions/directory.ts';
import * as facts from '../questions/facts.ts';
import * as filing from '../questions/filing.ts';
import * as inbox from '../questions/inbox.ts';
import * as jobs from '../questions/jobs.ts';
import * as messages from '../questions/messages.ts';
import * as nonces from '../questions/nonces.ts';
import * as records from '../questions/records.ts';
import * as resolving from '../questions/resolving.ts';
import * as routing from '../questions/routing.ts';
import * as workflows from '../questions/workflows.ts';
import { migrate, openEngine, type SqliteEngine } from './engine.ts';
import { ReplayGuard } from './replay-guard.ts';

// How each question that is asked often, or of a table that grows, finds its rows: the table it walks and the index.
const byKey = 'USING (INTEGER )?PRIMARY KEY';
const lastOfKey = '$';
/** Only for what holds some hours of commits and is swept every few minutes: an index would cost each commit a page. */
const whole = 'SCAN';

type Walk = readonly [table: string, index: string];

/** The question and, for each table it names, the index it must be found by; in the order the engine walks them. */
const plans: readonly (readonly [Question<object>, ...Walk[]])[] = [
  [inbox.listWaiting, ['inbox_entry', byKey]],
  [inbox.listWaitingWorkflows, ['inbox_entry', byKey]],
  [inbox.listDue, ['inbox_entry', 'inbox_entry_due']],
  [inbox.readWaiting, ['inbox_counter', byKey]],
  [inbox.nextPosition, ['inbox_counter', byKey]],
  [inbox.countIn],
  [inbox.countOut, ['inbox_counter', byKey]],
  [inbox.insertEntry],
  [inbox.deleteEntry, ['inbox_entry', byKey]],
  [messages.readRegistryVersion, ['registry_version', byKey]],
  [messages.readIdempotency, ['idempotency', byKey]],
  [messages.readChunkKey, ['chunk', 'sqlite_autoindex_chunk_1']],
  [messages.replaceBody, ['payload', 'sqlite_autoindex_payload_1']],
  [messages.replaceChunk, ['chunk', 'sqlite_autoindex_chunk_1']],
  [messages.growPayload, ['payload', 'sqlite_autoindex_payload_1']],
  [messages.keepPayload, ['payload', 'sqlite_autoindex_payload_1']],
  [messages.findKeptPayload, ['payload', 'sqlite_autoindex_payload_1']],
  [messages.readUpload, ['m', 'sqlite_autoindex_message_1'], ['p', 'sqlite_autoindex_payload_1']],
  [messages.readState, ['message', 'sqlite_autoindex_message_1']],
  [messages.finishUpload, ['message', 'sqlite_autoindex_message_1']],
  [messages.changeState, ['message', 'sqlite_autoindex_message_1']],
  [messages.keepMessage, ['message', 'sqlite_autoindex_message_1']],
  [messages.setPosition, ['message', 'sqlite_autoindex_message_1']],
  [messages.acknowledgeMessage, ['message', byKey]],
  [messages.setAcknowledgedAt, ['message', 'sqlite_autoindex_message_1']],
  [messages.recordCollection, ['message', 'sqlite_autoindex_message_1']],
  [messages.addInlineEvent, ['message', 'sqlite_autoindex_message_1']],
  [messages.appendEvent, ['message', 'sqlite_autoindex_message_1'], ['event', byKey]],
  [records.findMessage, ['m', 'sqlite_autoindex_message_1'], ['p', 'sqlite_autoindex_payload_1']],
  [records.findMessageWithBody, ['m', 'sqlite_autoindex_message_1'], ['p', 'sqlite_autoindex_payload_1']],
  [records.findByLocalKey, ['m', 'message_local_key'], ['p', 'sqlite_autoindex_payload_1']],
  [records.findNewByLocalKey, ['m', 'message_new_local_key'], ['p', 'sqlite_autoindex_payload_1']],
  [records.findChunk, ['chunk', 'sqlite_autoindex_chunk_1']],
  [records.readEvents, ['message', 'sqlite_autoindex_message_1']],
  [records.readLaterEvents, ['event', byKey]],
  [records.readPosition, ['message', 'sqlite_autoindex_message_1']],
  [records.richInbox, ['m', 'message_inbox'], ['p', 'sqlite_autoindex_payload_1']],
  [records.richOutbox, ['m', 'message_outbox'], ['p', 'sqlite_autoindex_payload_1']],
  [records.richNewInbox, ['m', byKey], ['filing', byKey], ['p', 'sqlite_autoindex_payload_1']],
  [records.richNewOutbox, ['m', byKey], ['filing', byKey], ['p', 'sqlite_autoindex_payload_1']],
  [filing.readFiling, ['filing', byKey], ['message', lastOfKey]],
  [filing.fileMessages, ['message', byKey]],
  [filing.moveFiling, ['filing', byKey]],
  [jobs.listStalledUploads, ['message', 'message_unfinished']],
  [jobs.listDuePayloads, ['payload', 'payload_due']],
  [jobs.listPayloadBodies, ['payload', 'sqlite_autoindex_payload_1'], ['chunk', 'sqlite_autoindex_chunk_1']],
  [jobs.forgetPayload, ['payload', 'sqlite_autoindex_payload_1']],
  [jobs.dropChunks, ['chunk', 'sqlite_autoindex_chunk_1']],
  [jobs.hideRecords, ['message', 'sqlite_autoindex_message_1'], ['message', 'message_to_hide']],
  [jobs.listRemovable, ['message', 'message_to_remove']],
  [jobs.dropMessage, ['message', 'sqlite_autoindex_message_1']],
  [jobs.dropEvents, ['event', byKey]],
  [jobs.dropDeletedPayload, ['payload', 'sqlite_autoindex_payload_1']],
  [jobs.sweepIdempotency, ['idempotency', byKey], ['idempotency', 'idempotency_due']],
  [jobs.sweepRefusals, ['refusal', byKey], ['refusal', 'refusal_at']],
  [jobs.findBodyRef, ['payload', 'payload_body_ref'], ['chunk', 'chunk_body_ref']],
  [nonces.sweepNonces, ['nonce_log', byKey], ['nonce_log', whole]],
  [facts.searchRefusals, ['refusal', 'refusal_at']],
  [facts.searchRefusalsByMailbox, ['refusal', 'refusal_mailbox']],
  [facts.searchRefusalsByCertificate, ['refusal', 'refusal_certificate']],
  [facts.searchRefusalsByAddress, ['refusal', 'refusal_address']],
  [facts.lastAudit, ['audit', byKey], ['audit', lastOfKey]],
  [facts.readAudit, ['audit', byKey]],
  [facts.readAuditBack, ['audit', byKey]],
  [workflows.dropRegistration, ['registration', byKey]],
  [workflows.dropMembership, ['group_membership', byKey]],
  [routing.readSteps, ['s', byKey]],
  [routing.dropSteps, ['route_step', byKey]],
  [routing.noteRouting, ['message', 'sqlite_autoindex_message_1']],
  [routing.moveRecipient, ['message', 'sqlite_autoindex_message_1']],
  [resolving.listRouting, ['message', 'message_routing']],
  [resolving.resolveMessage, ['message', 'sqlite_autoindex_message_1']],
  [directory.readOrganisation, ['organisation', byKey]],
  [directory.putOrganisation],
  [directory.listLinks, ['organisation_link', byKey]],
  [directory.readLink, ['organisation_link', byKey]],
  [directory.findMailboxOf, ['mailbox', 'mailbox_organisation']],
  [directory.listAlertsOf, ['directory_alert', 'directory_alert_code']],
  [directory.markAnnounced, ['directory_alert', byKey]],
];

let folder = '';
let path = '';
let engine: SqliteEngine;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-plans-'));
  path = join(folder, 'ledger.sqlite');
  const guard = new ReplayGuard();
  engine = openEngine({ path, readOnly: false, cacheMebibytes: 4, lockTimeoutMs: 1000, guard });
  migrate(engine);
  engine.begin();
  engine.talk(guard.load());
  fill(engine, guard);
  engine.commit();
});
afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

/** A few mailboxes and many messages, most of them long acknowledged: what a ledger in use looks like. */
function fill(into: SqliteEngine, guard: ReplayGuard): void {
  for (let n = 0; n < 2000; n += 1) {
    const recipient = `BOX${n % 3}` as MailboxId;
    const localKey = n % 2 === 0 ? `k${n}` : null;
    into.talk(accept(acceptOf([newMessage(idOf(n), { recipient, localKey })], { nonce: nonceOf(`n${n}`) })));
    if (n % 10 !== 0) into.talk(acknowledge(acknowledgeOf(idOf(n), { mailbox: recipient })));
    into.talk(
      recordRefusals([refusalOf(n, { mailbox: recipient, address: `10.0.0.${n % 9}`, certificateSerial: '0A' })]),
    );
    into.talk(appendAudit({ atMs: bornAtMs, actor: 'a', action: 'b', subject: 'c', detail: '{}' }));
    if (n % 600 === 0) into.talk(fileMessages());
    into.talk(guard.write());
    guard.keep();
  }
}

/** The steps of the engine's plan: 'SEARCH table USING INDEX …', 'USE TEMP B-TREE …', and so on. */
function explain(sql: string): readonly string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db.prepare(`explain query plan ${sql.replaceAll(/\$(\d+)/g, '?$1')}`).all();
    return rows.map(({ detail }) => String(detail));
  } finally {
    db.close();
  }
}

function expectPlan(question: Question<object>, walks: readonly Walk[]): void {
  const steps = explain(question.sql);
  const walked = steps.filter((step) => /^(SCAN|SEARCH) /.test(step));
  const described = steps.join('\n');
  expect(walked, described).toHaveLength(walks.length);
  for (const [at, [table, index]] of walks.entries()) {
    const search = index === byKey || index === lastOfKey ? index : `USING (COVERING )?INDEX ${index} `;
    expect(walked[at], described).toMatch(
      new RegExp(index === whole ? `^SCAN ${table}$` : `^SEARCH ${table} ?${search}`),
    );
  }
  expect(described).not.toContain('TEMP B-TREE');
  expect(described).not.toContain('AUTOMATIC');
}

it.each([routing.listFamily, routing.listTraffic, routing.listTrafficFrom, routing.listTrafficTo])(
  '$name walks no table from end to end, sorted or not',
  ({ sql }) => {
    for (const counted of [false, true]) {
      if (counted) engine.exec('analyze');
      try {
        expect(explain(sql).filter((step) => /^SCAN (m|a|d|p)\b/.test(step))).toEqual([]);
      } finally {
        if (counted) engine.exec('delete from sqlite_stat1');
      }
    }
  },
);

describe('the plan of each hot question', () => {
  it.each(plans.map(([question, ...walks]) => ({ name: question.name, question, walks })))(
    '$name finds its rows by an index and sorts nothing',
    ({ question, walks }) => {
      expectPlan(question, walks);
    },
  );

  it('stays the same when the engine has counted the rows of each table', () => {
    engine.exec('analyze');
    try {
      for (const [question, ...walks] of plans) expectPlan(question, walks);
    } finally {
      engine.exec('delete from sqlite_stat1');
    }
  });
});
