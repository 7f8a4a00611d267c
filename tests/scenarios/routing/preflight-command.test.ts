import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createAdminBench } from '../../kit/admin-command.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';

guardLeaks();

it('preflight tells an operator of a patient’s address what a sender would be told, and says nothing of the patient', async () => {
  await using bench = await createAdminBench();
  const importLines = (lines: readonly object[]) =>
    bench.run(['import', '-'], lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await importLines([
    { kind: 'mailbox', mailboxId: 'A1', name: 'A1', odsCode: 'A1A' },
    { kind: 'workflow', workflowId: 'LETTERS' },
  ]);
  const ask = (workflow: string, ...more: readonly string[]) =>
    bench.run(
      ['preflight', '--from', 'A1', '--to', '-', '--workflow', workflow, ...more],
      'gpprovider_9990000018_19800229_Smith\n',
    );
  const off = await ask('LETTERS');
  expect(off).toMatchObject({ status: 1 });
  expect(off.out).toContain('not set up on this exchange');
  writeFileSync(`${bench.folder.path}/register.jsonl`, '');
  const env = bench.env as Record<string, string | undefined>;
  env.OPENMESH_DEMOGRAPHICS = `file:${bench.folder.path}/register.jsonl`;
  const notAllowed = await ask('LETTERS');
  expect(notAllowed.out).toContain('workflow LETTERS may not be sent to the practice of a patient');
  await importLines([{ kind: 'workflow', workflowId: 'LETTERS', gpRouting: true }]);
  const accepted = await ask('LETTERS', '--json');
  expect([accepted.status, JSON.parse(accepted.out)]).toEqual([0, { accepted: true, resolvedLater: true }]);
  for (const { out, err } of [off, notAllowed, accepted]) expect(out + err).not.toMatch(/smith|9990000018/i);
});
