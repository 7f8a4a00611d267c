import type { DirectoryLedger, FoundOrganisation, OdsCode } from '../../store/ledger/directory.ts';

/** A branch surgery is a site of its practice: the role, and the relationship to it. */
const branchSurgeryRole = 'RO96';
const operatedBy = 'RE6';

export interface Practice {
  readonly codes: readonly OdsCode[];
  /** '' when the code is its own practice. */
  readonly because: string;
}

/**
 * Where messages for a practice go: to itself; for a branch surgery to the practice that operates it; for a practice
 * that has closed, one step on, to whoever succeeded it and is open. A code that the directory does not know is taken as
 * it is, for a directory may be empty.
 */
export async function findPractice(directory: Pick<DirectoryLedger, 'find'>, code: OdsCode): Promise<Practice> {
  const found = await directory.find(code);
  const parent = found === null ? undefined : practiceOfBranch(found);
  const traced = parent === undefined ? found : await directory.find(parent);
  const practice = parent ?? code;
  const branch = parent === undefined ? '' : `${code} is a branch of ${parent}`;
  if (traced === null || traced.organisation.active) return { codes: [practice], because: branch };
  const successors = traced.links.filter(({ kind, active }) => kind === 'succession' && active);
  const open: OdsCode[] = [];
  for (const { target } of successors) {
    const successor = await directory.find(target);
    if (successor === null || successor.organisation.active) open.push(target);
  }
  const closed = [...(branch === '' ? [] : [branch]), `${practice} has closed`];
  if (open.length === 0) return { codes: [], because: [...closed, 'and no open practice succeeded it'].join(', ') };
  return { codes: open, because: [...closed, `succeeded by ${open.join(' and ')}`].join(', ') };
}

function practiceOfBranch({ organisation, links }: FoundOrganisation): OdsCode | undefined {
  const isBranch = organisation.primaryRole === branchSurgeryRole || organisation.roles.some(isBranchRole);
  if (!isBranch) return undefined;
  return links.find(({ kind, type, active }) => kind === 'relationship' && type === operatedBy && active)?.target;
}

function isBranchRole({ code, active }: { readonly code: string; readonly active: boolean }): boolean {
  return code === branchSurgeryRole && active;
}
