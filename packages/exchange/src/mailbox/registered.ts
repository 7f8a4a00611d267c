import type { MailboxId } from '@openmesh/protocol';
import type { MailboxRecord, RegistrationRole, RegistryRecords, WorkflowRecord } from '../store/ledger/registry.ts';
import type { ApprovalRecord, GroupPart, WorkflowGroupRecord } from '../store/ledger/routing-records.ts';

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

interface Place {
  readonly mailbox: MailboxRecord;
  readonly odsCode: string;
  readonly record: Dated;
}

/** In order of organisation and mailbox: a look-up is a binary search. */
type Places = readonly Place[];

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

function comparePlaces(a: Place, b: Place): number {
  return compareText(a.odsCode, b.odsCode) || compareText(a.mailbox.mailboxId, b.mailbox.mailboxId);
}

/** Position of the first entry that is not below organisation and mailbox ('' is below every id). */
function lowerBound(list: Places, odsCode: string, mailboxId: string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = list[middle];
    if (entry === undefined) break;
    const order = compareText(entry.odsCode, odsCode) || compareText(entry.mailbox.mailboxId, mailboxId);
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function findPlace(list: Places | undefined, mailbox: MailboxRecord): Place | undefined {
  if (list === undefined) return undefined;
  const entry = list[lowerBound(list, mailbox.odsCode.toUpperCase(), mailbox.mailboxId)];
  return entry?.mailbox.mailboxId === mailbox.mailboxId ? entry : undefined;
}

function* placesOf(list: Places, odsCode: string | undefined): Generator<Place> {
  const start = odsCode === undefined ? 0 : lowerBound(list, odsCode, '');
  for (let index = start; index < list.length; index += 1) {
    const entry = list[index];
    if (entry === undefined || (odsCode !== undefined && entry.odsCode !== odsCode)) return;
    yield entry;
  }
}

function placeAll<R extends Dated & { readonly mailboxId: MailboxId }>(
  records: readonly R[],
  mailboxes: ReadonlyMap<MailboxId, MailboxRecord>,
  keyOf: (record: R) => string,
): ReadonlyMap<string, Places> {
  const lists = new Map<string, Place[]>();
  for (const record of records) {
    const mailbox = mailboxes.get(record.mailboxId);
    // A record whose mailbox is unknown can never matter; the ledger keeps it until it is dropped.
    if (mailbox !== undefined)
      pushTo(lists, keyOf(record), { mailbox, odsCode: mailbox.odsCode.toUpperCase(), record });
  }
  for (const list of lists.values()) list.sort(comparePlaces);
  return lists;
}

/** No id holds a line feed, so two parts cannot be read as another two. */
const keyOf = (first: string, second: string): string => `${first}\n${second}`;

/** By role and workflow: the parts of groups that have it. */
function indexParts(groups: readonly WorkflowGroupRecord[]): ReadonlyMap<string, readonly string[]> {
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

/** What of the registry says who may use which workflow. Takes the rows over. */
export function indexRegistered(
  records: Pick<RegistryRecords, 'registrations' | 'groups' | 'memberships' | 'approvals'>,
  mailboxes: ReadonlyMap<MailboxId, MailboxRecord>,
  workflows: ReadonlyMap<string, WorkflowRecord>,
): Registered {
  const { registrations, groups, memberships } = records;
  const direct = placeAll(registrations, mailboxes, ({ role, workflowId }) => keyOf(role, workflowId));
  const members = placeAll(memberships, mailboxes, ({ part, groupId }) => keyOf(part, groupId));
  const parts = indexParts(groups);
  const approvals = new Map<string, ApprovalRecord>();
  const byWorkflow = new Map<string, ApprovalRecord[]>();
  for (const approval of records.approvals) {
    approvals.set(approval.approvalId, approval);
    pushTo(byWorkflow, keyOf(approval.odsCode, approval.workflowId), approval);
  }
  const restricted = new Set<string>();
  for (const { restricted: is, initiatorIds, responderIds } of groups) {
    if (is) for (const id of [...initiatorIds, ...responderIds]) restricted.add(id);
  }

  const isRestricted = (workflowId: string): boolean =>
    workflows.get(workflowId)?.restricted === true || restricted.has(workflowId);

  /** In force by its dates and, where it names an approval for a restricted workflow, by that of its organisation. */
  const counts = ({ record, odsCode }: Place, workflowId: string, nowMs: number): boolean => {
    if (!isValidAt(record, nowMs)) return false;
    if (record.approvalId === null || !isRestricted(workflowId)) return true;
    const approval = approvals.get(record.approvalId);
    return approval !== undefined && approval.odsCode === odsCode && isValidAt(approval, nowMs);
  };

  return {
    isRestricted,
    isApproved: (odsCode, workflowId, nowMs) =>
      (byWorkflow.get(keyOf(odsCode.toUpperCase(), workflowId)) ?? []).some((row) => isValidAt(row, nowMs)),
    isRegistered(mailbox, workflowId, role, nowMs) {
      const key = keyOf(role, workflowId);
      const own = findPlace(direct.get(key), mailbox);
      if (own !== undefined && counts(own, workflowId, nowMs)) return true;
      return (parts.get(key) ?? []).some((part) => {
        const place = findPlace(members.get(part), mailbox);
        return place !== undefined && counts(place, workflowId, nowMs);
      });
    },
    responders(odsCode, workflowId, nowMs) {
      const key = keyOf('responder', workflowId);
      const lists = [direct.get(key), ...(parts.get(key) ?? []).map((part) => members.get(part))];
      const found = new Map<MailboxId, MailboxRecord>();
      for (const list of lists) {
        if (list === undefined) continue;
        for (const place of placesOf(list, odsCode?.toUpperCase())) {
          if (place.mailbox.state !== 'active' || !counts(place, workflowId, nowMs)) continue;
          found.set(place.mailbox.mailboxId, place.mailbox);
        }
      }
      return [...found.values()].sort((a, b) => compareText(a.mailboxId, b.mailboxId));
    },
  };
}
