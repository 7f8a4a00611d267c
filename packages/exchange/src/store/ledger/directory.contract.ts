import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import { alice, bornAtMs } from '../ledger-probe.ts';
import type { DirectoryLedger, OdsCode, OrganisationLink, OrganisationRecord } from './directory.ts';
import type { MailboxRecord } from './registry.ts';

const ods = (text: string): OdsCode => text as OdsCode;

function organisation(changes: Partial<OrganisationRecord> = {}): OrganisationRecord {
  return {
    odsCode: ods('A81001'),
    name: 'THE SURGERY',
    active: true,
    recordClass: 'RC1',
    primaryRole: 'RO177',
    roles: [{ code: 'RO76', active: true, from: '2000-04-01', to: null }],
    legal: { from: null, to: null },
    operational: { from: '2000-04-01', to: null },
    address: { lines: ['1 HIGH STREET'], town: 'YARM', county: '', postcode: 'TS15 9AA', country: 'ENGLAND' },
    telephone: '',
    lastChange: '2025-01-01',
    ...changes,
  };
}

const succession: OrganisationLink = {
  odsCode: ods('A81001'),
  kind: 'succession',
  type: 'successor',
  target: ods('A81002'),
  active: true,
  from: '2026-01-01',
  to: null,
};

async function put(
  directory: DirectoryLedger,
  organisations: readonly OrganisationRecord[],
  links: readonly OrganisationLink[] = [],
) {
  return directory.put({ atMs: bornAtMs, organisations, links });
}

const mailbox: MailboxRecord = {
  mailboxId: alice,
  name: 'Alice',
  odsCode: 'a81001',
  orgCode: 'A81001',
  orgName: '',
  billingEntity: '',
  state: 'active',
  certificateMatch: null,
  delegatedOdsCodes: [],
  receivesChunked: true,
};

async function giveMailbox(at: LedgerSource, changes: Partial<MailboxRecord> = {}): Promise<void> {
  const audit = { atMs: bornAtMs, actor: 'root', action: 'mailbox.add', subject: 'ALICE', detail: '{}' };
  await at.ledger.registry.change({ mailboxes: [{ ...mailbox, ...changes }], audit });
}

export function promiseDirectory(at: LedgerSource): void {
  it('finds an organisation with its links as they were put, after a restart too', async () => {
    await put(at.ledger.directory, [organisation()], [succession]);
    const found = { organisation: organisation(), links: [succession] };
    expect(await at.ledger.directory.find(ods('A81001'))).toEqual(found);
    const again = await at.reopen();
    expect(await again.directory.find(ods('A81001'))).toEqual(found);
    expect(await again.directory.find(ods('A81002'))).toBeNull();
    expect(await again.directory.state()).toEqual({ organisations: 1, refreshedAtMs: null, changesTo: null });
  });

  it('changes nothing when it is told the same again', async () => {
    expect(await put(at.ledger.directory, [organisation()], [succession])).toEqual({ rowsChanged: 2, alerts: 0 });
    expect(await put(at.ledger.directory, [organisation()], [succession])).toEqual({ rowsChanged: 0, alerts: 0 });
  });

  it.each([
    ['closed', { active: false, operational: { from: null, to: '2026-01-01' } }, 'closed on 2026-01-01'],
    ['closed', { active: false }, 'closed'],
    ['closing', { legal: { from: null, to: '2027-01-01' } }, 'closes on 2027-01-01'],
    ['renamed', { name: 'ANOTHER SURGERY' }, 'was THE SURGERY, is now ANOTHER SURGERY'],
  ] as const)('notes once that an organisation with a mailbox is %s', async (kind, changes, detail) => {
    await giveMailbox(at);
    const { directory } = at.ledger;
    await put(directory, [organisation()]);
    expect((await put(directory, [organisation(changes)])).alerts).toBe(1);
    expect((await put(directory, [organisation(changes)])).alerts).toBe(0);
    const alerts = await directory.alerts({ odsCode: ods('A81001'), sinceMs: 0, limit: 10 });
    expect(alerts).toEqual([{ alertNo: 1, atMs: bornAtMs, odsCode: 'A81001', kind, detail }]);
  });

  it('notes once that an organisation with a mailbox has a successor', async () => {
    await giveMailbox(at);
    const { directory } = at.ledger;
    expect((await put(directory, [], [succession])).alerts).toBe(1);
    expect((await put(directory, [], [{ ...succession, to: '2030-01-01' }])).alerts).toBe(0);
    expect(await directory.alerts({ odsCode: null, sinceMs: 0, limit: 10 })).toMatchObject([
      { kind: 'succeeded', detail: 'succeeded by A81002 from 2026-01-01' },
    ]);
  });

  it('notes of an organisation it did not know that it has closed, and not that it has a name', async () => {
    await giveMailbox(at);
    expect((await put(at.ledger.directory, [organisation({ active: false })])).alerts).toBe(1);
  });

  it('notes nothing of an organisation without a mailbox, or with closed ones only', async () => {
    await giveMailbox(at, { state: 'closed' });
    const { directory } = at.ledger;
    await put(directory, [organisation()], [succession]);
    expect((await put(directory, [organisation({ active: false })])).alerts).toBe(0);
  });

  it('announces each alert once, oldest first', async () => {
    await giveMailbox(at);
    const { directory } = at.ledger;
    await put(directory, [organisation()], [succession]);
    await put(directory, [organisation({ active: false })]);
    const announce = async (limit: number): Promise<readonly string[]> =>
      (await directory.announce({ nowMs: bornAtMs, limit })).map(({ kind }) => kind);
    expect([await announce(1), await announce(5), await announce(5)]).toEqual([['succeeded'], ['closed'], []]);
    const raised = await at.ledger.alerts.untold({ seenSinceMs: 0, limit: 9 });
    expect(raised.map(({ code, subject }) => [code, subject])).toEqual([
      ['organisation-closed', 'A81001'],
      ['organisation-succeeded', 'A81001'],
    ]);
  });

  it('remembers how far it followed the published data', async () => {
    await at.ledger.directory.refreshed({ atMs: bornAtMs, changesTo: '2026-01-04' });
    const again = await at.reopen();
    expect(await again.directory.state()).toEqual({
      organisations: 0,
      refreshedAtMs: bornAtMs,
      changesTo: '2026-01-04',
    });
  });
}
