import { describe, expect, it } from 'vitest';
import type { FoundOrganisation, OdsCode, OrganisationLink, OrganisationRecord } from '../../store/ledger/directory.ts';
import { findPractice } from './practice.ts';

const ods = (text: string): OdsCode => text as OdsCode;

type Links = Partial<Record<'successors' | 'operatedBy', readonly string[]>>;

function organisation(
  odsCode: string,
  changes: Partial<OrganisationRecord> = {},
  links: Links = {},
): FoundOrganisation {
  const link = { odsCode: ods(odsCode), active: true, from: null, to: null } as const;
  const all: OrganisationLink[] = [
    ...(links.successors ?? []).map((target) => ({
      ...link,
      kind: 'succession' as const,
      type: 'successor',
      target: ods(target),
    })),
    ...(links.operatedBy ?? []).map((target) => ({
      ...link,
      kind: 'relationship' as const,
      type: 'RE6',
      target: ods(target),
    })),
  ];
  return {
    organisation: {
      odsCode: ods(odsCode),
      name: odsCode,
      active: true,
      recordClass: 'RC1',
      primaryRole: 'RO177',
      roles: [],
      legal: { from: null, to: null },
      operational: { from: null, to: null },
      address: { lines: [], town: '', county: '', postcode: '', country: '' },
      telephone: '',
      lastChange: null,
      ...changes,
    },
    links: all,
  };
}

const closed = { active: false };
const branch = { primaryRole: 'RO96', recordClass: 'RC2' };

async function find(code: string, ...known: readonly FoundOrganisation[]) {
  const directory = {
    find: (odsCode: OdsCode) => Promise.resolve(known.find((each) => each.organisation.odsCode === odsCode) ?? null),
  };
  return findPractice(directory, ods(code));
}

describe('the practice that messages go to', () => {
  it('is the one that was traced, when it is open', async () => {
    expect(await find('A1A', organisation('A1A', {}, { successors: ['B1B'] }))).toEqual({
      codes: ['A1A'],
      because: '',
    });
  });

  it('is the one that was traced, when the directory does not know it', async () => {
    expect(await find('A1A')).toEqual({ codes: ['A1A'], because: '' });
  });

  it('is the practice that operates a branch surgery', async () => {
    const found = await find('A1A', organisation('A1A', branch, { operatedBy: ['B1B'] }), organisation('B1B'));
    expect(found).toEqual({ codes: ['B1B'], because: 'A1A is a branch of B1B' });
  });

  it('is the branch itself, when nobody is said to operate it', async () => {
    expect(await find('A1A', organisation('A1A', branch))).toEqual({ codes: ['A1A'], because: '' });
  });

  it('is not the organisation that operates a practice which is no branch', async () => {
    expect((await find('A1A', organisation('A1A', {}, { operatedBy: ['B1B'] }), organisation('B1B'))).codes).toEqual([
      'A1A',
    ]);
  });

  it('is the successor of one that has closed', async () => {
    const found = await find('A1A', organisation('A1A', closed, { successors: ['B1B'] }), organisation('B1B'));
    expect(found).toEqual({ codes: ['B1B'], because: 'A1A has closed, succeeded by B1B' });
  });

  it('is none, when the successor has closed too: one step is taken and no second', async () => {
    const found = await find(
      'A1A',
      organisation('A1A', closed, { successors: ['B1B'] }),
      organisation('B1B', closed, { successors: ['C1C'] }),
      organisation('C1C'),
    );
    expect(found).toEqual({ codes: [], because: 'A1A has closed, and no open practice succeeded it' });
  });

  it('is each successor of one that was divided, for the mailboxes to decide', async () => {
    const successors = ['B1B', 'C1C'];
    expect((await find('A1A', organisation('A1A', closed, { successors }))).codes).toEqual(successors);
  });

  it('is none, when a practice succeeds itself in a ring', async () => {
    const found = await find('A1A', organisation('A1A', closed, { successors: ['A1A'] }));
    expect(found.codes).toEqual([]);
  });
});
