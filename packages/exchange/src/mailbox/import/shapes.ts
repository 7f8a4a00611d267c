import type { EntryKind } from './entry.ts';
import type { Shape } from './member-readers.ts';
import * as read from './member-readers.ts';

export const passwordLengthMax = 256;
export const readPassword = read.text(1, passwordLengthMax);

const idsMax = 1000;

const dates = {
  validFrom: ['validFromMs', read.instant],
  validTo: ['validToMs', read.orNull(read.instant)],
} as const satisfies Shape;

/** Members by kind; the first ones are the key. */
export const shapes = {
  mailbox: {
    mailboxId: ['mailboxId', read.mailboxId],
    name: ['name', read.text(1, 300)],
    odsCode: ['odsCode', read.odsCode],
    orgCode: ['orgCode', read.odsCode],
    orgName: ['orgName', read.text(0, 300)],
    billingEntity: ['billingEntity', read.text(0, 300)],
    state: ['state', read.oneOf('active', 'disabled', 'closed')],
    certificateMatch: ['certificateMatch', read.orNull(read.oneOf('off', 'warn', 'enforce'))],
    delegatedOdsCodes: ['delegatedOdsCodes', read.listOf(read.odsCode, 100)],
    receivesChunked: ['receivesChunked', read.flag],
  },
  credential: {
    mailboxId: ['mailboxId', read.mailboxId],
    password: ['password', readPassword],
    credentialId: ['credentialId', read.text(1, 100)],
    sealed: ['sealed', read.text(1, 2000)],
    ...dates,
  },
  workflow: {
    workflowId: ['workflowId', read.workflowId],
    title: ['title', read.text(0, 300)],
    description: ['description', read.text(0, 1000)],
    owner: ['owner', read.text(0, 300)],
    purpose: ['purpose', read.oneOf('request', 'acknowledgement', 'report', 'event')],
    status: ['status', read.oneOf('draft', 'live', 'deprecated', 'withdrawn')],
    restricted: ['restricted', read.flag],
    ackWorkflowId: ['ackWorkflowId', read.orNull(read.workflowId)],
    gpRouting: ['gpRouting', read.flag],
    sizeBytesMax: ['sizeBytesMax', read.orNull(read.count(1, Number.MAX_SAFE_INTEGER))],
    chunking: ['chunking', read.flag],
    civilRegistration: ['civilRegistration', read.flag],
    payloadType: ['payloadType', read.text(0, 300)],
    source: ['source', read.text(0, 300)],
  },
  group: {
    groupId: ['groupId', read.text(1, 100)],
    number: ['number', read.orNull(read.count(0, 1_000_000))],
    name: ['name', read.text(1, 300)],
    description: ['description', read.text(0, 1000)],
    owner: ['owner', read.text(0, 300)],
    restricted: ['restricted', read.flag],
    initiatorIds: ['initiatorIds', read.listOf(read.workflowId, idsMax)],
    responderIds: ['responderIds', read.listOf(read.workflowId, idsMax)],
  },
  approval: {
    approvalId: ['approvalId', read.text(1, 100)],
    odsCode: ['odsCode', read.odsCode],
    workflowId: ['workflowId', read.workflowId],
    approvedBy: ['approvedBy', read.text(1, 300)],
    reason: ['reason', read.text(0, 1000)],
    validFrom: ['validFromMs', read.instant],
    validTo: ['validToMs', read.instant],
    reviewOn: ['reviewOnMs', read.instant],
  },
  registration: {
    mailboxId: ['mailboxId', read.mailboxId],
    workflowId: ['workflowId', read.workflowId],
    role: ['role', read.oneOf('initiator', 'responder')],
    approvalId: ['approvalId', read.orNull(read.text(1, 100))],
    ...dates,
  },
  membership: {
    mailboxId: ['mailboxId', read.mailboxId],
    groupId: ['groupId', read.text(1, 100)],
    part: ['part', read.oneOf('initiator', 'responder')],
    approvalId: ['approvalId', read.orNull(read.text(1, 100))],
    ...dates,
  },
  rule: {
    ruleId: ['ruleId', read.ruleId],
    version: ['version', read.count(1, 1_000_000)],
    action: ['action', read.oneOf('copy', 'redirect')],
    status: ['status', read.oneOf('proposed', 'approved', 'superseded', 'refused', 'ended')],
    target: ['target', read.mailboxId],
    ifSender: ['ifSender', read.orNull(read.mailboxId)],
    ifRecipient: ['ifRecipient', read.orNull(read.mailboxId)],
    ifWorkflow: ['workflowId', read.orNull(read.workflowId)],
    includeReports: ['includeReports', read.flag],
    approvalId: ['approvalId', read.orNull(read.text(1, 100))],
    chainConfirmed: ['chainConfirmed', read.flag],
    fallbackConfirmed: ['fallbackConfirmed', read.flag],
    activeFrom: ['activeFromMs', read.instant],
    activeTo: ['activeToMs', read.orNull(read.instant)],
    reviewOn: ['reviewOnMs', read.instant],
    reason: ['reason', read.text(1, 1000)],
    lawfulBasis: ['lawfulBasis', read.text(1, 300)],
    requestedBy: ['requestedBy', read.text(1, 300)],
    agreedByRecipient: ['agreedByRecipient', read.text(0, 300)],
    agreedByTarget: ['agreedByTarget', read.text(0, 300)],
    senderReason: ['senderReason', read.text(0, 300)],
    proposedBy: ['proposedBy', read.text(1, 300)],
    proposedAt: ['proposedAtMs', read.instant],
    decidedBy: ['decidedBy', read.text(0, 300)],
    decidedAt: ['decidedAtMs', read.orNull(read.instant)],
  },
  certificate: {
    fingerprint: ['fingerprint', read.fingerprint],
    serial: ['serial', read.text(1, 100)],
    subject: ['subject', read.text(0, 1000)],
    mailboxId: ['mailboxId', read.orNull(read.mailboxId)],
    revokedAt: ['revokedAtMs', read.orNull(read.instant)],
  },
} as const satisfies Record<EntryKind, Shape>;

export const keyMembers: Readonly<Record<EntryKind, readonly string[]>> = {
  mailbox: ['mailboxId'],
  credential: ['mailboxId'],
  workflow: ['workflowId'],
  group: ['groupId'],
  approval: ['approvalId'],
  registration: ['mailboxId', 'workflowId', 'role'],
  membership: ['mailboxId', 'groupId', 'part'],
  rule: ['ruleId', 'version'],
  certificate: ['fingerprint'],
};
