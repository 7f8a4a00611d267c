import { type MailboxId, parseMailboxId } from '@openmesh/protocol';
import type { Entry } from './import/entry.ts';
import { EntryProblem, odsCode as readOdsCode } from './import/member-readers.ts';

/** A fixture that cannot be taken; the message names file, line (where there are lines) and member, never a value. */
export class FixtureFault extends Error {
  constructor(file: string, line: number | undefined, problem: string) {
    super(`${file}${line === undefined ? '' : ` line ${line}`}: ${problem}`);
    this.name = 'FixtureFault';
  }
}

/** What the official sandbox gives a mailbox that has no line of its own. */
export const fixtureDefaults = { name: 'Unknown', password: 'password' } as const;

type FixtureLine = { readonly line: number; readonly object: Readonly<Record<string, unknown>> };

function* readObjects(file: string, text: string): Generator<FixtureLine> {
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (raw.trim() === '') continue;
    const line = index + 1;
    let object: unknown;
    try {
      object = JSON.parse(raw);
    } catch {
      throw new FixtureFault(file, line, 'not JSON');
    }
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw new FixtureFault(file, line, 'not a JSON object');
    }
    yield { line, object: object as Readonly<Record<string, unknown>> };
  }
}

/** Members of these files beyond those we know are passed over, as the official sandbox does. */
function readText(file: string, { line, object }: FixtureLine, member: string, otherwise: string): string {
  const value = Object.hasOwn(object, member) ? object[member] : undefined;
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'string') throw new FixtureFault(file, line, `${member} must be a text`);
  return value;
}

/** Organisation codes are held to the rule of an import, so that what was taken here can be exported and imported. */
function readCode(file: string, fixture: FixtureLine, member: string, otherwise: string): string {
  try {
    return readOdsCode(readText(file, fixture, member, otherwise));
  } catch (error) {
    throw error instanceof EntryProblem ? new FixtureFault(file, fixture.line, `${member} ${error.message}`) : error;
  }
}

function readMailboxId(file: string, line: number, value: unknown, member: string): MailboxId {
  const id = typeof value === 'string' ? parseMailboxId(value) : undefined;
  if (id === undefined) throw new FixtureFault(file, line, `${member} must be a mailbox id`);
  return id;
}

/**
 * Reads the official sandbox's `mailboxes.jsonl`: for each line a mailbox and its password. A mailbox given twice is
 * as its last line says. Throws `FixtureFault`.
 */
export function parseSandboxMailboxes(text: string): readonly Entry[] {
  const file = 'mailboxes.jsonl';
  const entries = new Map<MailboxId, readonly Entry[]>();
  for (const fixture of readObjects(file, text)) {
    const { line, object } = fixture;
    const mailboxId = readMailboxId(file, line, object['mailbox_id'], 'mailbox_id');
    const active = object['active'] ?? true;
    if (typeof active !== 'boolean') throw new FixtureFault(file, line, 'active must be true or false');
    const odsCode = readCode(file, fixture, 'ods_code', '');
    const given = {
      name: readText(file, fixture, 'mailbox_name', '') || fixtureDefaults.name,
      odsCode,
      orgCode: readCode(file, fixture, 'org_code', odsCode),
      orgName: readText(file, fixture, 'org_name', ''),
      billingEntity: readText(file, fixture, 'billing_entity', ''),
      state: active ? 'active' : 'disabled',
    } as const;
    const source = { password: readText(file, fixture, 'password', fixtureDefaults.password) };
    entries.set(mailboxId, [
      { kind: 'mailbox', line, mailboxId, given },
      { kind: 'credential', line, mailboxId, source, given: {} },
    ]);
  }
  return [...entries.values()].flat();
}

/**
 * Reads the official sandbox's `workflows.jsonl`: for each line a workflow, its senders as initiators and its receivers
 * as responders. They drive look-ups only, so none is restricted. Throws `FixtureFault`.
 */
export function parseSandboxWorkflows(text: string): readonly Entry[] {
  const file = 'workflows.jsonl';
  const entries = new Map<string, Entry>();
  for (const fixture of readObjects(file, text)) {
    const { line, object } = fixture;
    const workflowId = readText(file, fixture, 'workflow_id', '');
    if (workflowId === '') throw new FixtureFault(file, line, 'workflow_id is missing');
    entries.set(workflowId, { kind: 'workflow', line, workflowId, given: {} });
    for (const [member, role] of [
      ['senders', 'initiator'],
      ['receivers', 'responder'],
    ] as const) {
      const list = object[member] ?? [];
      if (!Array.isArray(list)) throw new FixtureFault(file, line, `${member} must be a list of mailbox ids`);
      for (const value of list) {
        const mailboxId = readMailboxId(file, line, value, member);
        const key = `${role}\n${mailboxId}\n${workflowId}`;
        entries.set(key, { kind: 'registration', line, mailboxId, workflowId, role, given: {} });
      }
    }
  }
  return [...entries.values()];
}
