import { parseMailboxId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import { noRecords } from '../store/ledger-probe.ts';
import { exportLines } from './export-lines.ts';
import { planEntries, planImport } from './import/plan-import.ts';
import { parseSandboxMailboxes, parseSandboxWorkflows } from './sandbox-fixtures.ts';
import { createSealer } from './sealer.ts';
import { buildSnapshot } from './snapshot.ts';

const sealer = createSealer([{ id: 'k', key: new Uint8Array(32).fill(5) }]);
const nothing = { version: 0, ...noRecords };

const mailboxLines = [
  '{"mailbox_id": "X26ABC1", "mailbox_name": "TESTMB1", "billing_entity": "England", "ods_code": "X26", "org_code": "X26", "org_name": "", "password": "password"}',
  '{"mailbox_id": "X26ABC2", "mailbox_name": "TESTMB2", "billing_entity": "Wales", "ods_code": "X26", "org_code": "X26", "password": "other", "active": false, "unknown_member": 1}',
  '',
].join('\n');
const workflowLines = '{"workflow_id": "TEST_WORKFLOW", "senders": ["X26ABC1"], "receivers": ["X26ABC2", "x26abc1"]}\n';

function load(mailboxes: string, workflows: string) {
  const entries = [...parseSandboxMailboxes(mailboxes), ...parseSandboxWorkflows(workflows)];
  const plan = planEntries(entries, nothing, sealer);
  expect(plan.problems).toEqual([]);
  return { ...nothing, ...plan.change, version: 1 };
}

describe("the official sandbox's fixture files", () => {
  it('become mailboxes with their passwords, and workflows that drive look-ups only', () => {
    const snapshot = buildSnapshot(load(mailboxLines, workflowLines), sealer.open);
    const [first, second] = ['X26ABC1', 'X26ABC2'].map((id) => parseMailboxId(id));
    if (first === undefined || second === undefined) throw new Error('both are mailbox ids');
    expect(snapshot.mailbox(first)).toMatchObject({ name: 'TESTMB1', billingEntity: 'England', state: 'active' });
    expect(snapshot.mailbox(second)).toMatchObject({ state: 'disabled', orgName: '' });
    expect(snapshot.passwords(first, 0)).toEqual(['password']);
    expect(snapshot.responders('X26', 'TEST_WORKFLOW', 0).map(({ mailboxId }) => mailboxId)).toEqual(['X26ABC1']);
    expect(snapshot.workflow('TEST_WORKFLOW')).toMatchObject({ restricted: false, status: 'live' });
  });

  it('take the later of two lines for one mailbox or workflow', () => {
    const again = `${mailboxLines}{"mailbox_id":"X26ABC1","mailbox_name":"Changed"}\n`;
    const records = load(again, workflowLines + workflowLines);
    expect(records.mailboxes.map(({ name }) => name)).toEqual(['Changed', 'TESTMB2']);
  });

  it('can be exported and imported again', async () => {
    const records = load(mailboxLines, workflowLines);
    const blocks = [Buffer.from([...exportLines(records)].join(''))];
    const plan = await planImport({ blocks, current: records, sealer });
    expect(plan.problems).toEqual([]);
    expect(Object.values(plan.change).flat()).toEqual([]);
  });

  it('are refused with file, line and member when they cannot be taken', () => {
    const faults: readonly (readonly [() => unknown, string])[] = [
      [() => parseSandboxMailboxes('\n{"mailbox_id":'), 'mailboxes.jsonl line 2: not JSON'],
      [() => parseSandboxMailboxes('[]'), 'mailboxes.jsonl line 1: not a JSON object'],
      [() => parseSandboxMailboxes('{"mailbox_id":"a b"}'), 'mailboxes.jsonl line 1: mailbox_id must be a mailbox id'],
      [
        () => parseSandboxMailboxes('{"mailbox_id":"A","password":1}'),
        'mailboxes.jsonl line 1: password must be a text',
      ],
      [() => parseSandboxMailboxes('{"mailbox_id":"A","active":"no"}'), 'line 1: active must be true or false'],
      [() => parseSandboxWorkflows('{"senders":[]}'), 'workflows.jsonl line 1: workflow_id is missing'],
      [
        () => parseSandboxWorkflows('{"workflow_id":"W","senders":{}}'),
        'line 1: senders must be a list of mailbox ids',
      ],
      [() => parseSandboxWorkflows('{"workflow_id":"W","receivers":[1]}'), 'line 1: receivers must be a mailbox id'],
    ];
    for (const [parse, problem] of faults) expect(parse).toThrow(problem);
  });
});
