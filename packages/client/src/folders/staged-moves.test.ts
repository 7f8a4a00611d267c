import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seeFile } from './file-print.ts';
import { type MailboxTree, openMailboxTree } from './mailbox-tree.ts';
import { makeMoves, type StagedMove } from './staged-moves.ts';

const names = { in: 'IN', out: 'OUT', sent: 'SENT', failed: 'FAILED', temp: 'TEMP' };
let root: string;
let tree: MailboxTree;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'openmesh-moves-'));
  tree = await openMailboxTree(root, names, true);
  for (const name of ['PAIR.dat', 'PAIR.ctl']) writeFileSync(join(tree.out, name), 'bytes');
  writeFileSync(join(tree.staging, 'staged'), 'bytes');
});
afterEach(() => rmSync(root, { recursive: true }));

const print = async (name: string): Promise<string> => (await seeFile(join(tree.out, name)))?.print ?? '';
const kinds = {
  place: () => Promise.resolve<StagedMove>({ kind: 'place', staged: 'staged', folder: 'in', name: 'P.dat' }),
  carry: async (): Promise<StagedMove> => ({
    kind: 'carry',
    name: 'PAIR.dat',
    print: await print('PAIR.dat'),
    folder: 'sent',
  }),
  drop: async (): Promise<StagedMove> => ({ kind: 'drop', name: 'PAIR.ctl', print: await print('PAIR.ctl') }),
};

describe('a move that could not be made is never taken for made', () => {
  it.each([
    ['place', 'in'],
    ['place', 'staging'],
    ['carry', 'sent'],
    ['carry', 'out'],
    ['drop', 'out'],
  ] as const)('when, at a %s, the folder %s is gone and comes back before anybody looks', async (kind, gone) => {
    const moves = [await kinds[kind]()];
    const aside = `${tree[gone]}.away`;
    renameSync(tree[gone], aside);
    const comesBack = (): void => renameSync(aside, tree[gone]);
    await expect(makeMoves(tree, [moves], comesBack)).rejects.toMatchObject({ code: 'ENOENT' });
    if (existsSync(aside)) comesBack();
    await makeMoves(tree, [moves]);
    const there = { in: readdirSync(tree.in), sent: readdirSync(tree.sent), out: readdirSync(tree.out) };
    expect(there).toEqual({
      in: kind === 'place' ? ['P.dat'] : [],
      sent: kind === 'carry' ? ['PAIR.dat'] : [],
      out: kind === 'carry' ? ['PAIR.ctl'] : kind === 'drop' ? ['PAIR.dat'] : ['PAIR.ctl', 'PAIR.dat'],
    });
  });

  it('and one that was made is made once, when somebody has taken the file since', async () => {
    const moves = [await kinds.carry(), await kinds.place(), await kinds.drop()];
    await makeMoves(tree, [moves]);
    rmSync(join(tree.in, 'P.dat'));
    rmSync(join(tree.sent, 'PAIR.dat'));
    await makeMoves(tree, [moves]);
    expect([readdirSync(tree.in), readdirSync(tree.sent), readdirSync(tree.out)]).toEqual([[], [], []]);
  });
});
