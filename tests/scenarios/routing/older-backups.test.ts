import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AdminBench, createAdminBench } from '../../kit/admin-command.ts';

let bench: AdminBench;
beforeEach(async () => {
  bench = await createAdminBench();
  for (const id of ['B1', 'C1']) await bench.run(['import', '-'], JSON.stringify(mailboxOf(id)));
});
afterEach(() => bench[Symbol.asyncDispose]());

const mailboxOf = (mailboxId: string) => ({ kind: 'mailbox', mailboxId, name: 'n', odsCode: mailboxId });
const papers = [
  '--review-on',
  '2027-05-01',
  '--reason',
  'move',
  '--lawful-basis',
  'care',
  '--requested-by',
  'practice',
];
const agreed = ['--agreed-by-recipient', 'letter 1', '--agreed-by-target', 'letter 2'];
const redirect = ['--action', 'redirect', '--if-recipient', 'B1', '--target', 'C1', ...papers, ...agreed];

async function propose(...more: readonly string[]): Promise<void> {
  bench.actor = 'command-line:one';
  expect(await bench.run(['rule', 'propose', 'move', ...redirect, ...more])).toMatchObject({ status: 0 });
}

/** One proposes the next version of the rule, and another approves it. */
async function put(...more: readonly string[]): Promise<void> {
  await propose(...more);
  bench.actor = 'command-line:two';
  expect(await bench.run(['rule', 'approve', 'move'])).toMatchObject({ status: 0 });
}

async function inForce(): Promise<readonly string[]> {
  const { out } = await bench.run(['rule', 'list', '--status', 'approved', '--json']);
  const { rules } = JSON.parse(out) as { rules: { ruleId: string; version: number }[] };
  return rules.map(({ ruleId, version }) => `${ruleId} ${version}`);
}

it.each([
  { since: 'ended', there: 'approved', lost: ['move 1'], standing: [] },
  { since: 'replaced', there: 'approved', lost: ['move 1'], standing: ['move 2'] },
  { since: 'replaced twice', there: 'superseded', lost: ['move 1', 'move 2'], standing: ['move 3'] },
  { since: 'refused', there: 'proposed', lost: ['move 1'], standing: [] },
  { since: 'approved', there: 'proposed', lost: ['move 1'], standing: ['move 1'] },
])(
  'an import of an older backup brings no rule back to before it was $since',
  async ({ since, there, lost, standing }) => {
    if (there === 'proposed') await propose();
    else await put();
    if (there === 'superseded') await put('--from', '2026-11-28');
    const { out: backup } = await bench.run(['export']);
    bench.actor = 'command-line:two';
    if (since === 'ended') await bench.run(['rule', 'end', 'move']);
    else if (since === 'refused') await bench.run(['rule', 'refuse', 'move']);
    else if (since === 'approved') await bench.run(['rule', 'approve', 'move']);
    else await put('--from', '2026-11-25');
    expect(await inForce()).toEqual(standing);
    const { out: now } = await bench.run(['export']);
    for (const more of [['--trust-approvals'], ['--trust-approvals', '--dry-run']]) {
      const { status, err } = await bench.run(['import', '-', ...more], backup);
      expect([status, err.match(/(?<=rule )\S+: version \d/gu)?.map((name) => name.replace(': version', ''))]).toEqual([
        65,
        lost,
      ]);
    }
    expect((await bench.run(['export'])).out).toBe(now);
    const others = backup.split('\n').filter((line) => !line.includes('"kind":"rule"'));
    expect(await bench.run(['import', '-', '--trust-approvals'], others.join('\n'))).toMatchObject({ status: 0 });
  },
);
