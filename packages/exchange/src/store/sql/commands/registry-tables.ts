import type {
  CertificateRecord,
  CredentialRecord,
  MailboxRecord,
  RegistrationRecord,
  RegistryRecords,
  RegistryTable,
  WorkflowRecord,
} from '../../ledger/registry.ts';
import type { MembershipRecord, RulePapers, RuleRecord, WorkflowGroupRecord } from '../../ledger/routing-records.ts';
import { all, one, type Question, type Talk } from '../question.ts';
import * as registry from '../questions/registry.ts';
import { listRules, readRule } from '../questions/routing.ts';
import * as workflows from '../questions/workflows.ts';

/** A row's key, column by column, in the order of its table. */
export type Key = readonly (string | number)[];

type RecordOf<T extends RegistryTable> = RegistryRecords[T][number];

/** How the rows of one table are read: after a key, or one by its key. */
interface TableReader<R> {
  after(key: Key | null, limit: number): Talk<readonly R[]>;
  one(key: Key): Talk<R | undefined>;
  keyOf(record: R): Key;
}

function reader<Row extends object, R>(table: {
  readonly list: Question<Row>;
  readonly read: Question<Row>;
  /** Below every key. */
  readonly first: Key;
  readonly keyOf: (record: R) => Key;
  readonly toRecord: (row: Row) => R;
}): TableReader<R> {
  const { list, read, first, keyOf, toRecord } = table;
  return {
    *after(key, limit) {
      return (yield* all(list, ...(key ?? first), limit)).map(toRecord);
    },
    *one(key) {
      const row = yield* one(read, ...key);
      return row === undefined ? undefined : toRecord(row);
    },
    keyOf,
  };
}

/** Every table of the registry, in the order in which it is read. */
export const registryTables: { readonly [T in RegistryTable]: TableReader<RecordOf<T>> } = {
  mailboxes: reader({
    list: registry.listMailboxes,
    read: registry.readMailbox,
    first: [''],
    keyOf: ({ mailboxId }) => [mailboxId],
    toRecord: (row) =>
      ({
        ...row,
        delegatedOdsCodes: JSON.parse(row.delegatedOdsCodes) as readonly string[],
        receivesChunked: row.receivesChunked === 1,
      }) as MailboxRecord,
  }),
  credentials: reader({
    list: registry.listCredentials,
    read: registry.readCredential,
    first: [''],
    keyOf: ({ credentialId }) => [credentialId],
    toRecord: (row) => ({ ...row, kind: 'password' }) as CredentialRecord,
  }),
  sharedKeys: reader({
    list: registry.listSharedKeys,
    read: registry.readSharedKey,
    first: [''],
    keyOf: ({ sharedKeyId }) => [sharedKeyId],
    toRecord: (row) => row,
  }),
  workflows: reader({
    list: workflows.listWorkflows,
    read: workflows.readWorkflow,
    first: [''],
    keyOf: ({ workflowId }) => [workflowId],
    toRecord: (row) =>
      ({
        ...row,
        restricted: row.restricted === 1,
        gpRouting: row.gpRouting === 1,
        chunking: row.chunking === 1,
        civilRegistration: row.civilRegistration === 1,
      }) as WorkflowRecord,
  }),
  groups: reader({
    list: workflows.listGroups,
    read: workflows.readGroup,
    first: [''],
    keyOf: ({ groupId }) => [groupId],
    toRecord: (row): WorkflowGroupRecord => ({
      ...row,
      restricted: row.restricted === 1,
      initiatorIds: JSON.parse(row.initiatorIds) as readonly string[],
      responderIds: JSON.parse(row.responderIds) as readonly string[],
    }),
  }),
  approvals: reader({
    list: workflows.listApprovals,
    read: workflows.readApproval,
    first: [''],
    keyOf: ({ approvalId }) => [approvalId],
    toRecord: (row) => row,
  }),
  registrations: reader({
    list: workflows.listRegistrations,
    read: workflows.readRegistration,
    first: ['', '', ''],
    keyOf: ({ workflowId, role, mailboxId }) => [workflowId, role, mailboxId],
    toRecord: (row) => row as RegistrationRecord,
  }),
  memberships: reader({
    list: workflows.listMemberships,
    read: workflows.readMembership,
    first: ['', '', ''],
    keyOf: ({ groupId, part, mailboxId }) => [groupId, part, mailboxId],
    toRecord: (row) => row as MembershipRecord,
  }),
  rules: reader({
    list: listRules,
    read: readRule,
    first: ['', 0],
    keyOf: ({ ruleId, version }) => [ruleId, version],
    toRecord: (row) =>
      ({
        ...row,
        includeReports: row.includeReports === 1,
        chainConfirmed: row.chainConfirmed === 1,
        fallbackConfirmed: row.fallbackConfirmed === 1,
        papers: JSON.parse(row.papers) as RulePapers,
      }) as RuleRecord,
  }),
  certificates: reader({
    list: registry.listCertificates,
    read: registry.readCertificate,
    first: [''],
    keyOf: ({ fingerprint }) => [fingerprint],
    toRecord: (row) => row as CertificateRecord,
  }),
};

export const tableNames = Object.keys(registryTables) as readonly RegistryTable[];
