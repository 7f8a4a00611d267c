import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSnapshot } from '@openmesh/exchange/mailbox/snapshot.ts';
import { parseMailboxId } from '@openmesh/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminBench, createAdminBench } from '../kit/admin-command.ts';
import { guardLeaks } from '../kit/leak-guard.ts';

guardLeaks();

let bench: AdminBench;
beforeEach(async () => {
  bench = await createAdminBench();
  await bench.run(['mailbox', 'add', 'A1', '--name', 'n', '--ods-code', 'X26', '--password-stdin'], 'first');
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const renamed = '{"kind":"mailbox","mailboxId":"A1","name":"renamed"}\n';

async function mailbox(): Promise<Record<string, unknown>> {
  const { out } = await bench.run(['mailbox', 'show', 'A1', '--json']);
  return (JSON.parse(out) as { mailbox: Record<string, unknown> }).mailbox;
}

async function passwords(nowMs: number): Promise<readonly string[]> {
  const { ledger, sealer } = await bench.session();
  const id = parseMailboxId('A1');
  if (id === undefined) throw new Error('A1 is a mailbox id');
  return buildSnapshot(await ledger.registry.load(), sealer.open).passwords(id, nowMs);
}

/** Runs a command during which another one is run, between its look at the registry and its change of it. */
async function during(first: () => ReturnType<AdminBench['run']>, second: () => ReturnType<AdminBench['run']>) {
  bench.meanwhile = second;
  const ran = await first();
  expect(bench.meanwhile).toBeUndefined();
  return ran;
}

const disable = () => bench.run(['mailbox', 'disable', 'A1']);

describe('what one operator changed while the command of another was under way', () => {
  it('stays when a file is imported that names the same mailbox', async () => {
    const file = join(bench.folder.path, 'lines.ndjson');
    await writeFile(file, renamed);
    expect(await during(() => bench.run(['import', file]), disable)).toMatchObject({ status: 0 });
    expect(await mailbox()).toMatchObject({ name: 'renamed', state: 'disabled' });
  });

  it('stays when lines of standard input are imported, which are refused, for they cannot be read again', async () => {
    const refused = await during(() => bench.run(['import', '-'], renamed), disable);
    expect(refused).toMatchObject({ status: 69, out: '' });
    expect(refused.err).toContain('nothing was imported');
    expect(await mailbox()).toMatchObject({ name: 'n', state: 'disabled' });
  });

  it('stays when lines of a pipe are imported by its name, which is the same', async () => {
    const pipe = join(bench.folder.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writing = writeFile(pipe, renamed);
    const refused = await during(() => bench.run(['import', pipe]), disable);
    expect(refused).toMatchObject({ status: 69, out: '' });
    await writing;
    expect(await mailbox()).toMatchObject({ name: 'n', state: 'disabled' });
  });

  it('stays when a registration is given another date', async () => {
    await bench.run(['workflow', 'add', 'WF']);
    const register = ['workflow', 'register', 'WF', 'A1', '--role', 'responder'];
    await bench.run(register);
    const end = () => bench.run([...register, '--to', '2026-11-01']);
    expect(await during(() => bench.run([...register, '--from', '2026-10-01']), end)).toMatchObject({ status: 0 });
    const { ledger } = await bench.session();
    const [registration] = (await ledger.registry.load()).registrations;
    expect(registration).toMatchObject({
      validFromMs: Date.parse('2026-10-01T00:00:00Z'),
      validToMs: Date.parse('2026-11-01T00:00:00Z'),
    });
  });

  it('is not taken for a new mailbox of the same name', async () => {
    const add = (name: string) => () => bench.run(['mailbox', 'add', 'B1', '--name', name, '--ods-code', 'X26']);
    expect(await during(add('late'), add('early'))).toMatchObject({ status: 1 });
    const { ledger } = await bench.session();
    const { mailboxes, credentials } = await ledger.registry.load();
    expect(mailboxes.find((row) => row.mailboxId === 'B1')).toMatchObject({ name: 'early' });
    expect(credentials.filter((row) => row.mailboxId === 'B1')).toHaveLength(1);
  });

  it('stays when it ended a password at once and the other lets earlier ones overlap', async () => {
    const rotate = (to: string, hours: string) => () =>
      bench.run(['mailbox', 'rotate-password', 'A1', '--overlap', hours, '--password-stdin'], to);
    expect(await during(rotate('third', '24'), rotate('second', '0'))).toMatchObject({ status: 0 });
    expect(await passwords(bench.nowMs + 1)).not.toContain('first');
  });
});
