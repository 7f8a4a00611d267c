import type {
  ApprovalRecord,
  MembershipRecord,
  RulePapers,
  RuleRecord,
  WorkflowGroupRecord,
} from '../../store/ledger/routing-records.ts';
import type { Entry } from './entry.ts';
import { checkDates, EntryProblem } from './member-readers.ts';

type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

/** No id holds a line feed, so the three cannot be read as another three. */
export function membershipKey(row: Pick<MembershipRecord, 'mailboxId' | 'groupId' | 'part'>): string {
  return `${row.part}\n${row.mailboxId}\n${row.groupId}`;
}

export function ruleKey(row: Pick<RuleRecord, 'ruleId' | 'version'>): string {
  return `${row.ruleId}\n${row.version}`;
}

export function mergeGroup(entry: EntryOf<'group'>, before: WorkflowGroupRecord | undefined): WorkflowGroupRecord {
  const { groupId, given } = entry;
  const name = given.name ?? before?.name;
  if (name === undefined) throw new EntryProblem(`group ${groupId} is new and needs its name`);
  const blank = { number: null, description: '', owner: '', restricted: false, initiatorIds: [], responderIds: [] };
  return { ...blank, ...before, ...given, groupId, name };
}

export function mergeMembership(entry: EntryOf<'membership'>, before: MembershipRecord | undefined): MembershipRecord {
  const { mailboxId, groupId, part, given } = entry;
  return checkDates({
    approvalId: null,
    validFromMs: 0,
    validToMs: null,
    ...before,
    ...given,
    mailboxId,
    groupId,
    part,
  });
}

export function mergeApproval(entry: EntryOf<'approval'>, before: ApprovalRecord | undefined): ApprovalRecord {
  const { approvalId, given } = entry;
  const { odsCode, workflowId, approvedBy, validToMs } = { ...before, ...given };
  if (odsCode === undefined || workflowId === undefined || approvedBy === undefined || validToMs === undefined) {
    throw new EntryProblem(`approval ${approvalId} is new and needs odsCode, workflowId, approvedBy and validTo`);
  }
  const open = { reason: '', validFromMs: 0, reviewOnMs: validToMs };
  return checkDates({ ...open, ...before, ...given, approvalId, odsCode, workflowId, approvedBy, validToMs });
}

const paperDefaults = { agreedByRecipient: '', agreedByTarget: '', senderReason: '', decidedBy: '', decidedAtMs: null };
const ruleDefaults = {
  status: 'proposed',
  ifSender: null,
  ifRecipient: null,
  workflowId: null,
  includeReports: false,
  approvalId: null,
  chainConfirmed: false,
  fallbackConfirmed: false,
  activeToMs: null,
} as const;

/** A new version of a rule is given whole; of one that is there only status, end and decision may change. */
export function mergeRule(entry: EntryOf<'rule'>, before: RuleRecord | undefined): RuleRecord {
  const { ruleId, version, given } = entry;
  const { reason, lawfulBasis, requestedBy, agreedByRecipient, agreedByTarget, senderReason, ...rest } = given;
  const { proposedBy, proposedAtMs, decidedBy, decidedAtMs, ...terms } = rest;
  const told = { reason, lawfulBasis, requestedBy, agreedByRecipient, agreedByTarget, senderReason };
  const decided = { proposedBy, proposedAtMs, decidedBy, decidedAtMs };
  const papers = inOrder({ ...paperDefaults, ...before?.papers, ...withoutGaps({ ...told, ...decided }) });
  const row = { ...ruleDefaults, ...before, ...terms, ruleId, version, papers };
  const needed = [row.action, row.target, row.activeFromMs, row.reviewOnMs] as readonly unknown[];
  const neededPapers = ['reason', 'lawfulBasis', 'requestedBy', 'proposedBy', 'proposedAtMs'] as const;
  const hasPapers = neededPapers.every((name) => papers[name] !== undefined);
  if (needed.includes(undefined) || !hasPapers) {
    const members = 'action, target, activeFrom, reviewOn, reason, lawfulBasis, requestedBy, proposedBy and proposedAt';
    throw new EntryProblem(`rule ${ruleId} version ${version} is new and needs ${members}`);
  }
  const changed = before === undefined ? undefined : termsOf(row as RuleRecord, before);
  if (changed !== undefined) {
    throw new EntryProblem(
      `rule ${ruleId} version ${version} says another ${changed} already: a change is a new version`,
    );
  }
  return row as RuleRecord;
}

const changeable: ReadonlySet<string> = new Set(['status', 'activeToMs', 'papers']);

/** The first term in which the two differ. */
function termsOf(row: RuleRecord, before: RuleRecord): string | undefined {
  const other = before as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(row).find(([member, value]) => !changeable.has(member) && value !== other[member])?.[0];
}

const paperOrder = [
  'reason',
  'lawfulBasis',
  'requestedBy',
  'agreedByRecipient',
  'agreedByTarget',
  'senderReason',
  'proposedBy',
  'proposedAtMs',
  'decidedBy',
  'decidedAtMs',
] as const satisfies readonly (keyof RulePapers)[];

/** The ledger keeps papers as text: the same papers are to be the same text, whoever put them together. */
function inOrder(papers: Partial<RulePapers>): Partial<RulePapers> {
  return Object.fromEntries(paperOrder.map((name) => [name, papers[name]]));
}

/** A member that was left out must not hide what is there. */
function withoutGaps<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}
