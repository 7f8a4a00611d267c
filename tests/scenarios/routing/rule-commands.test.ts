import { acceptOf, newMessage } from '@openmesh/exchange/store/ledger-probe.ts';
import type { MailboxId, MessageId } from '@openmesh/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminBench, createAdminBench } from '../../kit/admin-command.ts';

let bench: AdminBench;
beforeEach(async () => {
  bench = await createAdminBench();
  const boxes = ['A1', 'B1', 'C1', 'D1'].map((mailboxId) => ({
    kind: 'mailbox',
    mailboxId,
    name: 'n',
    odsCode: mailboxId,
  }));
  const workflows = ['WF', 'SECRET'].map((workflowId) => ({
    kind: 'workflow',
    workflowId,
    restricted: workflowId === 'SECRET',
  }));
  const registered = ['B1', 'C1', 'D1'].flatMap((mailboxId) =>
    ['WF', 'SECRET'].map((workflowId) => ({ kind: 'registration', mailboxId, workflowId, role: 'responder' })),
  );
  await importLines([...boxes, ...workflows, ...registered]);
});
afterEach(() => bench[Symbol.asyncDispose]());

async function importLines(lines: readonly object[], ...more: readonly string[]) {
  return bench.run(['import', '-', ...more], lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

const as = (name: string): void => {
  bench.actor = `command-line:${name}`;
};
const told = ['--review-on', '2027-05-01', '--reason', 'move', '--lawful-basis', 'care', '--requested-by', 'practice'];
const agreed = ['--agreed-by-recipient', 'letter 1', '--agreed-by-target', 'letter 2'];
const redirect = ['--action', 'redirect', '--if-recipient', 'B1', '--target', 'C1', ...told, ...agreed];

async function propose(id: string, ...options: readonly string[]) {
  return bench.run(['rule', 'propose', id, ...options]);
}

async function put(id: string, ...options: readonly string[]): Promise<void> {
  as('one');
  expect(await propose(id, ...options)).toMatchObject({ status: 0 });
  as('two');
  expect(await bench.run(['rule', 'approve', id])).toMatchObject({ status: 0 });
}

async function actions(): Promise<readonly string[]> {
  const { out } = await bench.run(['audit', 'list', '--json']);
  const { entries } = JSON.parse(out) as { entries: { actor: string; action: string; subject: string }[] };
  return entries.map(({ actor, action, subject }) => `${actor} ${action} ${subject}`);
}

async function inForce(): Promise<readonly string[]> {
  const { out } = await bench.run(['rule', 'list', '--status', 'approved', '--json']);
  const { rules } = JSON.parse(out) as { rules: { ruleId: string; version: number }[] };
  return rules.map(({ ruleId, version }) => `${ruleId} ${version}`);
}

describe('a rule', () => {
  it('is proposed by one person and approved by another, and both are in the chained audit log', async () => {
    as('one');
    await propose('move', ...redirect);
    expect(await inForce()).toEqual([]);
    const own = await bench.run(['rule', 'approve', 'move']);
    expect(own).toMatchObject({ status: 1 });
    expect(own.err).toContain('rule move: command-line:one proposed it: somebody else has to approve it');
    expect(await inForce()).toEqual([]);
    as('two');
    expect(await bench.run(['rule', 'approve', 'move'])).toMatchObject({ status: 0 });
    expect(await inForce()).toEqual(['move 1']);
    const log = await actions();
    expect(log).toContain('command-line:one rule.propose move');
    expect(log).toContain('command-line:two rule.approve move');
    expect(await bench.run(['audit', 'verify'])).toMatchObject({ status: 0 });
  });

  it('is refused with a reason that names it, and leaves nothing behind', async () => {
    const loop = ['--action', 'redirect', '--if-recipient', 'C1', '--target', 'B1', ...told, ...agreed];
    await put('move', ...redirect);
    const back = await propose('back', ...loop, '--confirm-chain');
    expect(back).toMatchObject({ status: 1, out: '' });
    expect(back.err).toContain('rule back: messages would go round in a circle: C1 → B1 → C1');
    const secret = await propose('secret', ...redirect, '--if-workflow', 'SECRET');
    expect(secret.err).toContain('rule secret: SECRET is restricted: name an approval of C1 for it');
    expect(await bench.run(['rule', 'show', 'back'])).toMatchObject({ status: 1 });
  });

  it('needs the agreement of both organisations before it is approved', async () => {
    as('one');
    await propose('move', ...redirect.slice(0, -4));
    as('two');
    const { status, err } = await bench.run(['rule', 'approve', 'move']);
    expect(status).toBe(1);
    expect(err).toContain("agreement of the recipient's organisation is missing");
    expect(err).toContain("agreement of the target's organisation is missing");
  });

  it('is changed by its next version, which takes the place of the one before', async () => {
    await put('move', ...redirect);
    as('one');
    expect(await propose('move', ...redirect, '--target', 'D1')).toMatchObject({ status: 0 });
    expect(await inForce()).toEqual(['move 1']);
    const again = await propose('move', ...redirect);
    expect(again.err).toContain('version 2 is proposed already');
    as('two');
    await bench.run(['rule', 'approve', 'move']);
    expect(await inForce()).toEqual(['move 2']);
    await bench.run(['rule', 'end', 'move']);
    expect(await inForce()).toEqual([]);
    const { out } = await bench.run(['rule', 'show', 'move', '--json']);
    const { versions } = JSON.parse(out) as { versions: { status: string }[] };
    expect(versions.map(({ status }) => status)).toEqual(['ended', 'ended']);
  });

  it('of a restricted workflow rests on an approval that is recorded and ends', async () => {
    const record = ['workflow', 'approve', 'ok', '--ods-code', 'C1', '--workflow', 'SECRET', '--by', 'programme'];
    expect(await bench.run(record)).toMatchObject({ status: 65 });
    expect(await bench.run([...record, '--to', '2027-01-01'])).toMatchObject({ status: 0 });
    await put('secret', ...redirect, '--if-workflow', 'SECRET', '--approval', 'ok');
    expect(await bench.run(['rule', 'check'])).toMatchObject({ status: 0, out: '' });
    bench.nowMs = Date.UTC(2027, 5, 1);
    const { status, out } = await bench.run(['rule', 'check']);
    expect(status).toBe(1);
    expect(out).toContain('rule secret: its review was due on 2027-05-01');
    expect(out).toContain('rule secret: approval ok is not in force');
  });

  it('that loses its target is listed by check', async () => {
    await put('move', ...redirect);
    await bench.run(['mailbox', 'disable', 'C1']);
    expect((await bench.run(['rule', 'check'])).out).toBe('rule move: target C1 is disabled\n');
  });
});

describe('rule dry-run', () => {
  it('shows what a rule would have done to the last days, from metadata, and changes nothing', async () => {
    const { ledger } = await bench.session();
    const born = { createdAtMs: bench.nowMs - 3_600_000 };
    const sent = (n: number, recipient: string, workflowId: string) =>
      ledger.messages.accept(
        acceptOf([
          newMessage(`202611211100${String(n).padStart(8, '0')}_ABCDEF` as MessageId, {
            ...born,
            sender: 'A1' as MailboxId,
            recipient: recipient as MailboxId,
            workflowId,
          }),
        ]),
      );
    for (const n of [1, 2, 3]) await sent(n, 'B1', 'WF');
    await sent(4, 'D1', 'WF');
    await sent(5, 'B1', 'SECRET');
    await put('copies', '--action', 'copy', '--if-recipient', 'B1', '--target', 'D1', ...told, ...agreed);
    as('one');
    expect(await propose('move', ...redirect, '--confirm-fallback')).toMatchObject({ status: 0 });
    const before = await ledger.registry.version();
    const { out } = await bench.run(['rule', 'dry-run', 'move', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      examined: 4,
      redirected: 3,
      copiesStopped: 3,
      copied: 0,
      byWorkflow: { WF: { redirected: 3 } },
    });
    await bench.run(['mailbox', 'disable', 'C1']);
    const gone = await bench.run(['rule', 'dry-run', 'move', '--json']);
    expect(JSON.parse(gone.out)).toMatchObject({
      redirected: 0,
      skipped: 3,
      skippedBecause: { 'the target is disabled': 3 },
    });
    expect(await ledger.registry.version()).toBe(before + 1);
  });
});

describe('an import', () => {
  it('of rules proposes them, whatever the file says, and takes them at its word only to restore a backup', async () => {
    await put('move', ...redirect);
    await bench.run([
      'workflow',
      'approve',
      'ok',
      '--ods-code',
      'C1',
      '--workflow',
      'SECRET',
      '--by',
      'p',
      '--to',
      '2027-01-01',
    ]);
    const { out: backup } = await bench.run(['export']);
    expect(backup).toContain('"kind":"rule"');
    const unchanged = await bench.run(['import', '-', '--json'], backup);
    expect(JSON.parse(unchanged.out)).toMatchObject({ ok: true, rowsChanged: 0 });

    const elsewhere = await createAdminBench();
    try {
      const lines = backup.split('\n').filter((line) => !line.includes('"kind":"credential"'));
      elsewhere.actor = 'command-line:importer';
      expect(await elsewhere.run(['import', '-'], lines.join('\n'))).toMatchObject({ status: 0 });
      const shown = JSON.parse((await elsewhere.run(['rule', 'show', 'move', '--json'])).out) as { versions: object[] };
      expect(shown.versions).toMatchObject([
        { status: 'proposed', proposedBy: 'command-line:importer', decidedBy: '' },
      ]);
      expect(await elsewhere.run(['rule', 'approve', 'move'])).toMatchObject({ status: 1 });
    } finally {
      await elsewhere[Symbol.asyncDispose]();
    }
    const restored = await createAdminBench();
    try {
      expect(await restored.run(['import', '-', '--trust-approvals'], backup)).toMatchObject({ status: 0 });
      const again = await restored.run(['export']);
      expect(again.out).toBe(backup);
    } finally {
      await restored[Symbol.asyncDispose]();
    }
  });

  it('refuses a rule that may not be, and names it', async () => {
    const rule = { kind: 'rule', ruleId: 'self', version: 1, action: 'copy', target: 'B1', ifRecipient: 'B1' };
    const papers = { reason: 'r', lawfulBasis: 'l', requestedBy: 'x', proposedBy: 'y', proposedAt: '2026-01-01' };
    const dates = { activeFrom: '2026-11-01', reviewOn: '2027-01-01' };
    const { status, err } = await importLines([{ ...rule, ...papers, ...dates }]);
    expect(status).toBe(65);
    expect(err).toContain('rule self: B1 is the recipient and has the message itself');
  });
});

describe('the workflows that are publicly known', () => {
  it('are added once, with their source, and leave alone what is there', async () => {
    await bench.run(['workflow', 'add', 'TOC_FHIR_IP_DISCH', '--description', 'ours']);
    const first = await bench.run(['workflow', 'seed', '--json']);
    expect((JSON.parse(first.out) as { added: number }).added).toBeGreaterThan(130);
    expect(JSON.parse((await bench.run(['workflow', 'seed', '--json'])).out)).toMatchObject({ added: 0 });
    const { ledger } = await bench.session();
    const { workflows, groups } = await ledger.registry.load();
    const find = (id: string) => workflows.find(({ workflowId }) => workflowId === id);
    expect(find('TOC_FHIR_IP_DISCH')?.description).toBe('ours');
    expect(find('GPCONNECT_SEND_DOCUMENT')).toMatchObject({
      restricted: true,
      gpRouting: true,
      ackWorkflowId: 'GPCONNECT_SEND_DOCUMENT_ACK',
    });
    expect(
      workflows.filter(
        ({ workflowId, source }) => !['WF', 'SECRET', 'TOC_FHIR_IP_DISCH'].includes(workflowId) && source === '',
      ),
    ).toEqual([]);
    expect(groups.find(({ number }) => number === 77)?.name).toBe('GP Federation');
  });

  it('come with groups whose members may send and receive by their part', async () => {
    await bench.run(['workflow', 'seed']);
    const ask = ['preflight', '--from', 'A1', '--to', 'B1', '--workflow', 'GPCONNECT_SEND_DOCUMENT'];
    expect((await bench.run(ask)).out).toContain('16 Sender is not allowed');
    expect(await bench.run(['workflow', 'join', 'gp-federation', 'A1', '--part', 'initiator'])).toMatchObject({
      status: 0,
    });
    expect((await bench.run(ask)).out).toContain('17 Workflow ID not registered');
    await bench.run(['workflow', 'join', 'gp-federation', 'B1', '--part', 'responder']);
    expect(await bench.run(ask)).toMatchObject({ status: 0, out: 'would go to B1\n' });
    const acknowledges = ['preflight', '--from', 'B1', '--to', 'A1', '--workflow', 'GPCONNECT_SEND_DOCUMENT_ACK'];
    expect(await bench.run(acknowledges)).toMatchObject({ status: 0 });
    await bench.run(['workflow', 'join', 'gp-federation', 'B1', '--part', 'responder', '--remove']);
    expect(await bench.run(ask)).toMatchObject({ status: 1 });
  });
});

it('preflight tells an operator where a message would go, rules included', async () => {
  await put('move', ...redirect);
  const { status, out } = await bench.run(['preflight', '--from', 'A1', '--to', 'B1', '--workflow', 'WF', '--json']);
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    accepted: true,
    addressed: 'B1',
    mailbox: 'C1',
    steps: [{ ruleId: 'move' }],
  });
});
