import type { MailboxId } from '@openmesh/protocol';
import type { MailboxRecord, RegistrationRole, RegistryRows, WorkflowRecord } from '../store/ledger/registry.ts';
import type { ApprovalRecord, GroupPart, WorkflowGroupRecord } from '../store/ledger/routing-records.ts';
import { DraftMap, DraftNest } from './draft-map.ts';

/** Who may send and who may receive which workflow, from registrations for workflows and for groups. */
export interface Registered {
  /** Whether the mailbox is registered for the workflow in that role at `nowMs`, by itself or by a group. */
  isRegistered(mailbox: MailboxRecord, workflowId: string, role: RegistrationRole, nowMs: number): boolean;
  /** Active mailboxes that may receive the workflow at `nowMs`, in order of id; of one organisation when it is given. */
  responders(odsCode: string | undefined, workflowId: string, nowMs: number): readonly MailboxRecord[];
  /** Marked as restricted itself, or in a group that is. */
  isRestricted(workflowId: string): boolean;
  /** Whether the organisation has an approval in force for the restricted workflow. */
  isApproved(odsCode: string, workflowId: string, nowMs: number): boolean;
}

interface Dated {
  readonly approvalId: string | null;
  readonly validFromMs: number;
  readonly validToMs: number | null;
}

/** What a mailbox was registered as, by role and workflow or by part and group; also of mailboxes that are unknown. */
type Places = ReadonlyMap<string, ReadonlyMap<MailboxId, Dated>>;

export interface RegisteredTables {
  readonly direct: Places;
  readonly members: Places;
  readonly groups: ReadonlyMap<string, WorkflowGroupRecord>;
  readonly approvals: ReadonlyMap<string, ApprovalRecord>;
  /** By organisation and workflow. */
  readonly approvalsOf: ReadonlyMap<string, ReadonlyMap<string, ApprovalRecord>>;
}

export const noneRegistered: RegisteredTables = {
  direct: new Map(),
  members: new Map(),
  groups: new Map(),
  approvals: new Map(),
  approvalsOf: new Map(),
};

export function isValidAt(
  record: { readonly validFromMs: number; readonly validToMs: number | null },
  nowMs: number,
): boolean {
  return record.validFromMs <= nowMs && (record.validToMs === null || nowMs < record.validToMs);
}

export function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** By UTF-16 code unit: the same on every machine, and ten times faster than a locale's order. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** No id holds a line feed, so two parts cannot be read as another two. */
const keyOf = (first: string, second: string): string => `${first}\n${second}`;

/** Registrations, memberships, groups and approvals of another version, made from those of one. */
export class RegisteredDraft {
  readonly #direct: DraftNest<string, MailboxId, Dated>;
  readonly #members: DraftNest<string, MailboxId, Dated>;
  readonly #groups: DraftMap<string, WorkflowGroupRecord>;
  readonly #approvals: DraftMap<string, ApprovalRecord>;
  readonly #approvalsOf: DraftNest<string, string, ApprovalRecord>;

  constructor(from: RegisteredTables) {
    this.#direct = new DraftNest(from.direct);
    this.#members = new DraftNest(from.members);
    this.#groups = new DraftMap(from.groups);
    this.#approvals = new DraftMap(from.approvals);
    this.#approvalsOf = new DraftNest(from.approvalsOf);
  }

  put(rows: RegistryRows): void {
    for (const row of rows.registrations ?? []) this.#direct.set(keyOf(row.role, row.workflowId), row.mailboxId, row);
    for (const { role, workflowId, mailboxId } of rows.dropRegistrations ?? []) {
      this.#direct.delete(keyOf(role, workflowId), mailboxId);
    }
    for (const row of rows.memberships ?? []) this.#members.set(keyOf(row.part, row.groupId), row.mailboxId, row);
    for (const { part, groupId, mailboxId } of rows.dropMemberships ?? []) {
      this.#members.delete(keyOf(part, groupId), mailboxId);
    }
    for (const group of rows.groups ?? []) this.#groups.set(group.groupId, group);
    for (const approval of rows.approvals ?? []) {
      const { approvalId } = approval;
      const before = this.#approvals.get(approvalId);
      if (before !== undefined) this.#approvalsOf.delete(keyOf(before.odsCode, before.workflowId), approvalId);
      this.#approvals.set(approvalId, approval);
      this.#approvalsOf.set(keyOf(approval.odsCode, approval.workflowId), approvalId, approval);
    }
  }

  done(): RegisteredTables {
    return {
      direct: this.#direct.done(),
      members: this.#members.done(),
      groups: this.#groups.done(),
      approvals: this.#approvals.done(),
      approvalsOf: this.#approvalsOf.done(),
    };
  }
}

/** By role and workflow: the parts of groups that have it. */
function indexParts(groups: Iterable<WorkflowGroupRecord>): ReadonlyMap<string, readonly string[]> {
  const lists = new Map<string, string[]>();
  const add = (ids: readonly string[], sends: GroupPart, receives: GroupPart, groupId: string): void => {
    for (const id of ids) {
      pushTo(lists, keyOf('initiator', id), keyOf(sends, groupId));
      pushTo(lists, keyOf('responder', id), keyOf(receives, groupId));
    }
  };
  for (const { groupId, initiatorIds, responderIds } of groups) {
    add(initiatorIds, 'initiator', 'responder', groupId);
    add(responderIds, 'responder', 'initiator', groupId);
  }
  return lists;
}

function indexRestricted(groups: Iterable<WorkflowGroupRecord>): ReadonlySet<string> {
  const restricted = new Set<string>();
  for (const { restricted: is, initiatorIds, responderIds } of groups) {
    if (is) for (const id of [...initiatorIds, ...responderIds]) restricted.add(id);
  }
  return restricted;
}

/** What the registry's tables hold of mailboxes and workflows. */
interface Named {
  readonly mailboxes: ReadonlyMap<MailboxId, MailboxRecord>;
  /** By organisation code in capitals. */
  readonly mailboxesOf: ReadonlyMap<string, ReadonlyMap<MailboxId, MailboxRecord>>;
  readonly workflows: ReadonlyMap<string, WorkflowRecord>;
}

/** What the tables say of who may use which workflow. Costs as much as there are groups. */
export function viewRegistered(tables: RegisteredTables, named: Named): Registered {
  const { direct, members, groups, approvals, approvalsOf } = tables;
  const parts = indexParts(groups.values());
  const restricted = indexRestricted(groups.values());

  const isRestricted = (workflowId: string): boolean =>
    named.workflows.get(workflowId)?.restricted === true || restricted.has(workflowId);

  /** In force by its dates and, where it names an approval for a restricted workflow, by that of its organisation. */
  const counts = (record: Dated | undefined, mailbox: MailboxRecord, workflowId: string, nowMs: number): boolean => {
    if (record === undefined || !isValidAt(record, nowMs)) return false;
    if (record.approvalId === null || !isRestricted(workflowId)) return true;
    const approval = approvals.get(record.approvalId);
    return approval?.odsCode === mailbox.odsCode.toUpperCase() && isValidAt(approval, nowMs);
  };

  const isRegistered: Registered['isRegistered'] = (mailbox, workflowId, role, nowMs) => {
    const key = keyOf(role, workflowId);
    const { mailboxId } = mailbox;
    if (counts(direct.get(key)?.get(mailboxId), mailbox, workflowId, nowMs)) return true;
    const groupParts = parts.get(key);
    if (groupParts === undefined) return false;
    return groupParts.some((part) => counts(members.get(part)?.get(mailboxId), mailbox, workflowId, nowMs));
  };

  /** Every mailbox that has anything to do with receiving the workflow; a mailbox that is unknown never counts. */
  function* candidates(workflowId: string): Generator<MailboxRecord> {
    const key = keyOf('responder', workflowId);
    const places = [direct.get(key), ...(parts.get(key) ?? []).map((part) => members.get(part))];
    const ids = new Set(places.flatMap((place) => [...(place?.keys() ?? [])]));
    for (const id of ids) {
      const mailbox = named.mailboxes.get(id);
      if (mailbox !== undefined) yield mailbox;
    }
  }

  return {
    isRestricted,
    isApproved: (odsCode, workflowId, nowMs) =>
      [...(approvalsOf.get(keyOf(odsCode.toUpperCase(), workflowId))?.values() ?? [])].some((row) =>
        isValidAt(row, nowMs),
      ),
    isRegistered,
    responders(odsCode, workflowId, nowMs) {
      const asked =
        odsCode === undefined ? candidates(workflowId) : (named.mailboxesOf.get(odsCode.toUpperCase())?.values() ?? []);
      return [...asked]
        .filter((mailbox) => mailbox.state === 'active' && isRegistered(mailbox, workflowId, 'responder', nowMs))
        .sort((a, b) => compareText(a.mailboxId, b.mailboxId));
    },
  };
}
