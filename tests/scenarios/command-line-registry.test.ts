import { createRegistry } from '@openmesh/exchange/mailbox/registry.ts';
import { buildSnapshot } from '@openmesh/exchange/mailbox/snapshot.ts';
import { parseMailboxId } from '@openmesh/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminBench, createAdminBench } from '../kit/admin-command.ts';
import { guardLeaks } from '../kit/leak-guard.ts';

guardLeaks();

let bench: AdminBench;
beforeEach(async () => {
  bench = await createAdminBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const add = (id: string, ...more: readonly string[]) =>
  bench.run(['mailbox', 'add', id, '--name', `Name of ${id}`, '--ods-code', 'x26', ...more]);

function idOf(text: string) {
  const id = parseMailboxId(text);
  if (id === undefined) throw new Error(`${text} is no mailbox id`);
  return id;
}

/** The passwords a server would take at a time, from a snapshot loaded as a server loads it. */
async function passwordsAt(id: string, nowMs: number): Promise<readonly string[]> {
  const { ledger, sealer } = await bench.session();
  return buildSnapshot(await ledger.registry.load(), sealer.open).passwords(idOf(id), nowMs);
}

async function audit(): Promise<readonly Record<string, unknown>[]> {
  const { out } = await bench.run(['audit', 'list', '--json']);
  return (JSON.parse(out) as { entries: Record<string, unknown>[] }).entries;
}

describe('mailbox add', () => {
  it('prints the password it makes once, and that password is the one the server takes', async () => {
    const { status, out } = await add('a1');
    expect(status).toBe(0);
    const password = /password \(shown this once\): (\w{20})\n/.exec(out)?.[1] ?? '';
    expect(await passwordsAt('A1', bench.nowMs)).toEqual([password]);
    const shown = await bench.run(['mailbox', 'show', 'A1', '--json']);
    expect(JSON.parse(shown.out)).toMatchObject({ mailbox: { mailboxId: 'A1', odsCode: 'X26', state: 'active' } });
    expect(shown.out).not.toContain(password);
  });

  it('takes a password from standard input and does not print it', async () => {
    const line = ['mailbox', 'add', 'A1', '--name', 'n', '--ods-code', 'X26', '--password-stdin', '--json'];
    const { status, out } = await bench.run(line, 'chosen password\n');
    expect({ status, ...(JSON.parse(out) as object) }).toEqual({ status: 0, mailboxId: 'A1', version: 1 });
    expect(await passwordsAt('A1', bench.nowMs)).toEqual(['chosen password']);
  });

  it('refuses a mailbox that exists, an id that is none, a missing name, and a password as an argument', async () => {
    await add('A1');
    expect(await add('A1')).toMatchObject({ status: 1, out: '' });
    expect(await add('A 1')).toMatchObject({ status: 65 });
    const nameless = await bench.run(['mailbox', 'add', 'B1', '--ods-code', 'X26']);
    expect(nameless).toMatchObject({ status: 65, err: 'mailbox add: mailbox B1 is new and needs name and odsCode\n' });
    const argued = await add('B1', '--password', 'secret-argument');
    expect(argued).toMatchObject({ status: 64, out: '' });
    expect(argued.err).not.toContain('secret-argument');
    expect((await audit()).length).toBe(1);
  });

  it('refuses an empty password and one with control characters on standard input, without repeating it', async () => {
    for (const input of ['', '\n', 'two\nlines\n', 'x'.repeat(300)]) {
      const ran = await bench.run(
        ['mailbox', 'add', 'A1', '--name', 'n', '--ods-code', 'X', '--password-stdin'],
        input,
      );
      expect(ran).toMatchObject({ status: 65, out: '' });
      expect(ran.err).not.toContain('lines');
    }
  });
});

describe('mailbox disable and enable', () => {
  it('changes the state once, says so, and writes each change on the audit', async () => {
    await add('A1');
    expect((await bench.run(['mailbox', 'disable', 'a1'])).out).toBe('A1 is now disabled\n');
    expect((await bench.run(['mailbox', 'disable', 'A1'])).out).toBe('A1 is already disabled\n');
    expect((await bench.run(['mailbox', 'list', '--state', 'disabled', '--json'])).out).toContain('"A1"');
    expect(JSON.parse((await bench.run(['mailbox', 'enable', 'A1', '--json'])).out)).toEqual({
      mailboxId: 'A1',
      state: 'active',
      changed: true,
      version: 3,
    });
    expect((await audit()).map(({ action, subject, actor }) => [action, subject, actor])).toEqual([
      ['mailbox.add', 'A1', 'command-line:tester'],
      ['mailbox.disable', 'A1', 'command-line:tester'],
      ['mailbox.enable', 'A1', 'command-line:tester'],
    ]);
  });

  it('answers 1 for a mailbox that is not there, and leaves a closed one closed', async () => {
    expect(await bench.run(['mailbox', 'disable', 'NONE'])).toMatchObject({ status: 1, out: '' });
    await add('A1');
    await bench.run(['import', '-'], '{"kind":"mailbox","mailboxId":"A1","state":"closed"}\n');
    expect(await bench.run(['mailbox', 'enable', 'A1'])).toMatchObject({ status: 1 });
  });

  it('is seen by a server that runs on the same ledger at its next poll', async () => {
    await add('A1');
    const { ledger, sealer, close } = await bench.openBeside();
    try {
      const registry = createRegistry({ ledger: ledger.registry, unseal: sealer.open });
      await registry.reload();
      await bench.run(['mailbox', 'disable', 'A1']);
      expect(registry.current().mailbox(idOf('A1'))?.state).toBe('active');
      expect(await registry.poll()).toBe(true);
      expect(registry.current().mailbox(idOf('A1'))?.state).toBe('disabled');
      expect(await registry.poll()).toBe(false);
    } finally {
      await close();
    }
  });
});

describe('mailbox rotate-password', () => {
  it('keeps the earlier password valid during the overlap and ends it afterwards', async () => {
    await bench.run(['mailbox', 'add', 'A1', '--name', 'n', '--ods-code', 'X', '--password-stdin'], 'first');
    const line = ['mailbox', 'rotate-password', 'A1', '--overlap', '2', '--password-stdin'];
    expect(await bench.run(line, 'second')).toMatchObject({ status: 0 });
    const endMs = bench.nowMs + 2 * 3_600_000;
    expect(await passwordsAt('A1', bench.nowMs)).toEqual(['second', 'first']);
    expect(await passwordsAt('A1', endMs - 1)).toEqual(['second', 'first']);
    expect(await passwordsAt('A1', endMs)).toEqual(['second']);
  });

  it('ends the earlier password at once with no overlap, and never lengthens one', async () => {
    await bench.run(['mailbox', 'add', 'A1', '--name', 'n', '--ods-code', 'X', '--password-stdin'], 'first');
    await bench.run(['mailbox', 'rotate-password', 'A1', '--overlap', '1', '--password-stdin'], 'second');
    bench.nowMs += 1;
    await bench.run(['mailbox', 'rotate-password', 'A1', '--overlap', '48', '--password-stdin'], 'third');
    expect(await passwordsAt('A1', bench.nowMs + 3_600_000)).toEqual(['third', 'second']);
    bench.nowMs += 1;
    await bench.run(['mailbox', 'rotate-password', 'A1', '--overlap', '0', '--password-stdin'], 'fourth');
    expect(await passwordsAt('A1', bench.nowMs)).toEqual(['fourth']);
  });

  it('refuses the password the mailbox has, and takes one it had before', async () => {
    const rotate = ['mailbox', 'rotate-password', 'A1', '--overlap', '0', '--password-stdin'];
    await bench.run(['mailbox', 'add', 'A1', '--name', 'n', '--ods-code', 'X', '--password-stdin'], 'first');
    expect(await bench.run(rotate, 'first')).toMatchObject({ status: 65 });
    bench.nowMs += 1;
    await bench.run(rotate, 'second');
    bench.nowMs += 1;
    expect(await bench.run(rotate, 'first')).toMatchObject({ status: 0 });
    expect(await passwordsAt('A1', bench.nowMs)).toEqual(['first']);
  });
});

describe('workflow', () => {
  it('adds, lists and registers, so that look-ups find the mailbox within its dates', async () => {
    await add('A1');
    expect(await bench.run(['workflow', 'add', 'WF 1', '--description', 'results'])).toMatchObject({ status: 0 });
    expect(await bench.run(['workflow', 'add', 'WF 1'])).toMatchObject({ status: 1 });
    const register = ['workflow', 'register', 'WF 1', 'A1', '--role', 'responder', '--from', '2026-12-01'];
    expect((await bench.run(register)).out).toBe('A1 is now registered as responder of WF 1\n');
    expect((await bench.run(register)).out).toBe('A1 is already registered as responder of WF 1\n');
    const { ledger, sealer } = await bench.session();
    const snapshot = buildSnapshot(await ledger.registry.load(), sealer.open);
    expect(snapshot.responders('X26', 'WF 1', Date.UTC(2026, 10, 30))).toEqual([]);
    expect(snapshot.responders('X26', 'WF 1', Date.UTC(2026, 11, 1)).length).toBe(1);
    const listed = JSON.parse((await bench.run(['workflow', 'list', '--json'])).out) as { workflows: unknown[] };
    expect(listed.workflows).toMatchObject([{ workflowId: 'WF 1', status: 'live', initiators: 0, responders: 1 }]);
    expect((await bench.run([...register, '--remove'])).out).toBe('A1 is now not registered as responder of WF 1\n');
  });

  it('refuses a role, a date, a workflow or a mailbox that is none', async () => {
    await add('A1');
    await bench.run(['workflow', 'add', 'WF']);
    const register = ['workflow', 'register'];
    expect(await bench.run([...register, 'WF', 'A1'])).toMatchObject({ status: 64 });
    expect(await bench.run([...register, 'WF', 'A1', '--role', 'sender'])).toMatchObject({ status: 65 });
    expect(await bench.run([...register, 'NO', 'A1', '--role', 'responder'])).toMatchObject({ status: 65 });
    expect(await bench.run([...register, 'WF', 'B1', '--role', 'responder'])).toMatchObject({ status: 65 });
    const badDate = ['--role', 'responder', '--from', '2026-02-30'];
    expect((await bench.run([...register, 'WF', 'A1', ...badDate])).err).toContain('validFrom must be a date');
  });
});
