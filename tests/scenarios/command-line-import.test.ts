import { readFileSync, statSync, writeFileSync } from 'node:fs';
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
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const lines = (...objects: readonly object[]): string =>
  objects.map((object) => `${JSON.stringify(object)}\n`).join('');

const everyKind = lines(
  { kind: 'openmesh-registry', version: 1 },
  { kind: 'registration', mailboxId: 'B1', workflowId: 'WF', role: 'responder', validTo: '2030-01-01' },
  { kind: 'mailbox', mailboxId: 'a1', name: 'One', odsCode: 'x26', delegatedOdsCodes: ['R1A', 'R1B'] },
  { kind: 'mailbox', mailboxId: 'B1', name: 'Two', odsCode: 'X27', state: 'disabled', certificateMatch: 'warn' },
  { kind: 'credential', mailboxId: 'A1', password: 'correct horse' },
  { kind: 'workflow', workflowId: 'WF', restricted: true },
  { kind: 'certificate', fingerprint: 'AB:'.repeat(31) + 'CD', serial: '01', mailboxId: 'A1', revokedAt: null },
);

async function importText(text: string, ...options: readonly string[]) {
  const { status, out, err } = await bench.run(['import', '-', '--json', ...options], text);
  return { status, err, ...(JSON.parse(out) as { rowsChanged: number; version: number; problems?: object[] }) };
}

describe('import', () => {
  it('takes every kind in any order, and changes nothing the second time', async () => {
    expect(await importText(everyKind)).toMatchObject({ status: 0, rowsChanged: 6, version: 1 });
    expect(await importText(everyKind)).toMatchObject({ status: 0, rowsChanged: 0, version: 1 });
    const { ledger, sealer } = await bench.session();
    const snapshot = buildSnapshot(await ledger.registry.load(), sealer.open);
    const a1 = parseMailboxId('A1');
    if (a1 === undefined) throw new Error('A1 is a mailbox id');
    expect(snapshot.passwords(a1, 0)).toEqual(['correct horse']);
    expect(snapshot.mailbox(a1)).toMatchObject({ odsCode: 'X26', orgCode: 'X26', delegatedOdsCodes: ['R1A', 'R1B'] });
    const entries = await ledger.audit.read({ fromEntryNo: 0, limit: 10 });
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual([['registry.import', 'command-line:tester']]);
    expect(JSON.stringify(entries)).not.toContain('correct horse');
  });

  it('keeps what a line leaves out, so that a line can say as little as a state', async () => {
    await importText(everyKind);
    expect(await importText(lines({ kind: 'mailbox', mailboxId: 'A1', state: 'disabled' }))).toMatchObject({
      rowsChanged: 1,
      version: 2,
    });
    const { out } = await bench.run(['mailbox', 'show', 'A1', '--json']);
    expect(JSON.parse(out)).toMatchObject({ mailbox: { name: 'One', state: 'disabled', odsCode: 'X26' } });
  });

  it('says with --dry-run what would change, and changes nothing', async () => {
    const dry = await importText(everyKind, '--dry-run');
    expect(dry).toMatchObject({
      status: 0,
      dryRun: true,
      rowsChanged: 6,
      version: 0,
      counts: { mailbox: { added: 2, changed: 0, unchanged: 0 } },
    });
    expect((await (await bench.session()).ledger.registry.load()).mailboxes).toEqual([]);
    await importText(everyKind);
    const changed = await importText(everyKind.replace('"Two"', '"2"'), '--dry-run');
    expect(changed).toMatchObject({ rowsChanged: 1, counts: { mailbox: { added: 0, changed: 1, unchanged: 1 } } });
  });

  it('writes nothing when any line has a problem, and lists them all by line', async () => {
    const bad = `${everyKind}${lines({ kind: 'mailbox', mailboxId: 'C1' }, { kind: 'workflow', workflowId: 'WF' })}`;
    const ran = await bench.run(['import', '-'], bad);
    expect(ran).toMatchObject({ status: 65, out: '' });
    expect(ran.err).toBe(
      'line 8: mailbox C1 is new and needs name and odsCode\n' +
        'line 9: says again what line 6 says\n' +
        'nothing was imported: 2 problem(s); put them right and import again\n',
    );
    expect((await (await bench.session()).ledger.registry.load()).version).toBe(0);
  });

  it('reads a file, and answers 65 for one that is not there', async () => {
    const file = join(bench.folder.path, 'registry.ndjson');
    writeFileSync(file, `\uFEFF${everyKind.replaceAll('\n', '\r\n')}`);
    expect(await bench.run(['import', file])).toMatchObject({ status: 0 });
    const missing = await bench.run(['import', `${file}.missing`]);
    expect(missing).toMatchObject({ status: 65, err: `import: ${file}.missing cannot be read (ENOENT)\n` });
  });
});

describe('export', () => {
  it('writes lines that import as nothing new, with passwords sealed', async () => {
    await importText(everyKind);
    const { out } = await bench.run(['export']);
    expect(out).not.toContain('correct horse');
    expect(out.split('\n')[0]).toBe('{"kind":"openmesh-registry","version":1}');
    expect(await importText(out)).toMatchObject({ status: 0, rowsChanged: 0, version: 1, lines: 7 });
  });

  it('carries a registry to another exchange only with the secret key', async () => {
    await importText(everyKind);
    const { out } = await bench.run(['export']);
    await using other = await createAdminBench();
    const refused = await other.run(['import', '-'], out);
    expect(refused.status).toBe(65);
    expect(refused.err).toContain('sealed under a key that this exchange does not hold');
  });

  it('writes to a file for its owner only, never over one that exists, and never passwords in the clear', async () => {
    await importText(everyKind);
    const file = join(bench.folder.path, 'out.ndjson');
    expect(await bench.run(['export', '--output', file])).toMatchObject({ status: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe((await bench.run(['export'])).out);
    expect(await bench.run(['export', '--output', file])).toMatchObject({ status: 73 });
    expect(await bench.run(['export', '--with-passwords'])).toMatchObject({ status: 65, out: '' });
  });
});

describe('an import as large as the national service', () => {
  const mailboxes = 22_000;
  const registrations = 150_000;
  const workflows = 200;

  function* national(): Generator<string> {
    for (let n = 0; n < workflows; n += 1) yield lines({ kind: 'workflow', workflowId: `WORKFLOW_${n}` });
    for (let n = 0; n < mailboxes; n += 1) {
      const mailboxId = `X${n}OT001`;
      yield lines({ kind: 'mailbox', mailboxId, name: `Surgery ${n}`, odsCode: `X${n}`, orgCode: 'X' });
      yield lines({ kind: 'credential', mailboxId, password: `password of ${n}` });
    }
    for (let n = 0; n < registrations; n += 1) {
      const workflowId = `WORKFLOW_${Math.floor(n / mailboxes) * 7 + (n % 7)}`;
      yield lines({ kind: 'registration', mailboxId: `X${n % mailboxes}OT001`, workflowId, role: 'responder' });
    }
  }

  it('is all there, and is nothing new the second time', async () => {
    const file = join(bench.folder.path, 'national.ndjson');
    writeFileSync(file, [...national()].join(''));
    const first = JSON.parse((await bench.run(['import', file, '--json'])).out) as object;
    const rows = workflows + 2 * mailboxes + registrations;
    expect(first).toMatchObject({ ok: true, rowsChanged: rows, version: 1, lines: rows });
    const second = JSON.parse((await bench.run(['import', file, '--json'])).out) as object;
    expect(second).toMatchObject({ rowsChanged: 0, version: 1 });
    const { ledger, sealer } = await bench.session();
    const snapshot = buildSnapshot(await ledger.registry.load(), sealer.open);
    expect(snapshot.responders('X21999', 'WORKFLOW_5', 0).length).toBe(1);
  }, 120_000);
});
