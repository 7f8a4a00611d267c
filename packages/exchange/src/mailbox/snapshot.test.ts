import type { MailboxId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import {
  type CredentialRecord,
  type MailboxRecord,
  type RegistrationRecord,
  type RegistryRecords,
  workflowDefaults,
} from '../store/ledger/registry.ts';
import { noRecords } from '../store/ledger-probe.ts';
import { createSealer, credentialContext } from './sealer.ts';
import { buildSnapshot } from './snapshot.ts';

function mailbox(id: string, changes: Partial<MailboxRecord> = {}): MailboxRecord {
  return {
    mailboxId: id as MailboxId,
    name: `name of ${id}`,
    odsCode: 'X26',
    orgCode: 'X26',
    orgName: '',
    billingEntity: '',
    state: 'active',
    certificateMatch: null,
    delegatedOdsCodes: [],
    receivesChunked: true,
    ...changes,
  };
}

function registration(id: string, workflowId: string, changes: Partial<RegistrationRecord> = {}): RegistrationRecord {
  const mailboxId = id as MailboxId;
  return { mailboxId, workflowId, role: 'responder', approvalId: null, validFromMs: 0, validToMs: null, ...changes };
}

function records(changes: Partial<RegistryRecords>): RegistryRecords {
  return { version: 1, ...noRecords, ...changes };
}

function refuseToUnseal(): string {
  throw new Error('nothing was to be unsealed');
}

const ids = (found: readonly MailboxRecord[]): string[] => found.map((record) => record.mailboxId);

describe('the passwords of a snapshot', () => {
  const sealer = createSealer([{ id: 'k', key: new Uint8Array(32).fill(3) }]);
  const credential = (credentialId: string, password: string, validFromMs: number, validToMs: number | null) =>
    ({
      credentialId,
      mailboxId: 'A' as MailboxId,
      kind: 'password',
      sealed: sealer.seal(password, credentialContext(credentialId)),
      validFromMs,
      validToMs,
    }) satisfies CredentialRecord;

  it('are all those valid at the moment, the newest first, so that a password changes without a gap', () => {
    const credentials = [credential('1', 'old', 0, 200), credential('2', 'new', 100, null)];
    const snapshot = buildSnapshot(records({ mailboxes: [mailbox('A')], credentials }), sealer.open);
    expect(snapshot.passwords('A' as MailboxId, 99)).toEqual(['old']);
    expect(snapshot.passwords('A' as MailboxId, 100)).toEqual(['new', 'old']);
    expect(snapshot.passwords('A' as MailboxId, 200)).toEqual(['new']);
    expect(snapshot.passwords('B' as MailboxId, 200)).toEqual([]);
  });

  it('are unsealed on first use only, and once', () => {
    let opened = 0;
    const snapshot = buildSnapshot(records({ credentials: [credential('1', 'p', 0, null)] }), (sealed, context) => {
      opened += 1;
      return sealer.open(sealed, context);
    });
    expect(opened).toBe(0);
    expect(snapshot.passwords('A' as MailboxId, 1)).toEqual(['p']);
    expect(snapshot.passwords('A' as MailboxId, 2)).toEqual(['p']);
    expect(opened).toBe(1);
  });
});

describe('the responders of a snapshot', () => {
  const mailboxes = [
    mailbox('C', { odsCode: 'A1' }),
    mailbox('A', { odsCode: 'B2' }),
    mailbox('B', { odsCode: 'A1' }),
    mailbox('OFF', { odsCode: 'A1', state: 'disabled' }),
    mailbox('A9', { odsCode: 'A10' }),
  ];
  const registrations = [
    ...['A', 'B', 'C', 'OFF', 'A9', 'GONE'].map((id) => registration(id, 'WF')),
    registration('A', 'OTHER', { validFromMs: 100, validToMs: 200 }),
    registration('B', 'WF', { role: 'initiator' }),
  ];
  const snapshot = buildSnapshot(records({ mailboxes, registrations }), refuseToUnseal);

  it('are the active registered mailboxes of the organisation, whatever the case of its code', () => {
    expect(ids(snapshot.responders('a1', 'WF', 0))).toEqual(['B', 'C']);
    expect(ids(snapshot.responders('A10', 'WF', 0))).toEqual(['A9']);
    expect(ids(snapshot.responders('Z', 'WF', 0))).toEqual([]);
    expect(ids(snapshot.responders('A1', 'wf', 0))).toEqual([]);
  });

  it('are those of all organisations in order of id when none is named', () => {
    expect(ids(snapshot.responders(undefined, 'WF', 0))).toEqual(['A', 'A9', 'B', 'C']);
  });

  it('are registered only within the dates of the registration', () => {
    expect([99, 100, 199, 200].map((nowMs) => snapshot.responders('B2', 'OTHER', nowMs).length)).toEqual([0, 1, 1, 0]);
  });

  it('agree with the question whether one mailbox is registered, by role', () => {
    const [c, a, b] = mailboxes as [MailboxRecord, MailboxRecord, MailboxRecord];
    expect(snapshot.isRegistered(c, 'WF', 'responder', 0)).toBe(true);
    expect(snapshot.isRegistered(c, 'WF', 'initiator', 0)).toBe(false);
    expect(snapshot.isRegistered(b, 'WF', 'initiator', 0)).toBe(true);
    expect(snapshot.isRegistered(a, 'OTHER', 'responder', 200)).toBe(false);
    expect(snapshot.isRegistered(a, 'NONE', 'responder', 0)).toBe(false);
  });
});

describe('a snapshot', () => {
  it('answers mailboxes, workflows and revocations by key, and nothing for names of the language', () => {
    const certificate = { serial: '1', subject: 'CN=a', mailboxId: null };
    const snapshot = buildSnapshot(
      records({
        version: 7,
        mailboxes: [mailbox('A')],
        workflows: [{ ...workflowDefaults, workflowId: 'WF' }],
        certificates: [
          { ...certificate, fingerprint: 'aa', revokedAtMs: 5 },
          { ...certificate, fingerprint: 'bb', revokedAtMs: null },
        ],
      }),
      refuseToUnseal,
    );
    expect(snapshot.version).toBe(7);
    expect(snapshot.mailbox('A' as MailboxId)?.name).toBe('name of A');
    expect(snapshot.workflow('WF')?.status).toBe('live');
    expect(['aa', 'bb', 'cc'].map((fingerprint) => snapshot.isRevoked(fingerprint))).toEqual([true, false, false]);
    expect(snapshot.mailbox('__proto__' as MailboxId)).toBeUndefined();
    expect(snapshot.workflow('constructor')).toBeUndefined();
  });
});
