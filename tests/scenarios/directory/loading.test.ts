import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminBench, createAdminBench } from '../../kit/admin-command.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';

guardLeaks();

let bench: AdminBench;
beforeEach(async () => {
  bench = await createAdminBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

const surgery = { odsCode: 'A81001', name: 'THE SURGERY', roles: ['RO177', 'RO76'] };
const resource = {
  resourceType: 'Organization',
  identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'A81001' }],
  active: true,
  name: 'THE SURGERY',
};

function place(content: string): string {
  const file = join(bench.folder.path, 'organisations.json');
  writeFileSync(file, content);
  return file;
}

const lines = (...objects: readonly object[]): string => objects.map((each) => `${JSON.stringify(each)}\n`).join('');

describe('directory load', () => {
  it.each([
    ['lines of our own', lines(surgery)],
    ['lines of FHIR', lines(resource)],
    ['a Bundle', JSON.stringify({ resourceType: 'Bundle', entry: [{ resource }] }, null, 2)],
  ])('takes %s, and the same again changes nothing', async (_form, content) => {
    const file = place(content);
    const first = await bench.run(['directory', 'load', file, '--json']);
    expect(first.status).toBe(0);
    expect(JSON.parse(first.out)).toMatchObject({ ok: true, organisations: 1, rowsChanged: 1 });
    const again = await bench.run(['directory', 'load', file, '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ ok: true, organisations: 1, rowsChanged: 0 });
    const shown = await bench.run(['directory', 'show', 'a81001']);
    expect(shown.out).toMatch(/^code: A81001\nname: THE SURGERY\nstatus: active\n/);
    const { out } = await bench.run(['audit', 'list', '--json']);
    expect((JSON.parse(out) as { entries: { action: string }[] }).entries.map(({ action }) => action)).toEqual([
      'directory.load',
    ]);
  });

  it('loads nothing of a file in which one object cannot be read, and says which', async () => {
    const file = place(lines(surgery, { odsCode: 'A81002' }));
    const { status, err } = await bench.run(['directory', 'load', file]);
    expect(status).toBe(65);
    expect(err).toMatch(/^object 2 is no organisation.*\nnothing was loaded/);
    expect((await bench.run(['directory', 'show', 'A81001'])).status).toBe(1);
  });

  it('loads nothing of a file that is broken off', async () => {
    const file = place(lines(surgery) + JSON.stringify(surgery).slice(0, 20));
    expect((await bench.run(['directory', 'load', file])).status).toBe(65);
    expect((await bench.run(['directory', 'show', 'A81001'])).status).toBe(1);
  });

  it('refuses what cannot be read twice, for a pipe would be checked and nothing of it loaded', async () => {
    const { status, out, err } = await bench.run(['directory', 'load', '/dev/null']);
    expect({ status, out }).toEqual({ status: 65, out: '' });
    expect(err).toContain('write it to a file first');
  });

  it('changes nothing when it is only asked what it would do', async () => {
    const { out, status } = await bench.run(['directory', 'load', place(lines(surgery)), '--dry-run']);
    expect([status, out]).toEqual([0, 'would load 1 organisations and 0 links\n']);
    expect((await bench.run(['directory', 'show', 'A81001'])).status).toBe(1);
  });

  it('says so when the file is not there', async () => {
    const { status, err } = await bench.run(['directory', 'load', join(bench.folder.path, 'none')]);
    expect([status, err]).toEqual([65, expect.stringContaining('cannot be read (ENOENT)')]);
  });

  it('tells of an organisation with mailboxes that closes or gains a successor, and of no other', async () => {
    await bench.run(['mailbox', 'add', 'A81001GP', '--name', 'The surgery', '--ods-code', 'a81001']);
    const other = { odsCode: 'A81002', name: 'ANOTHER' };
    await bench.run(['directory', 'load', place(lines(surgery, other))]);
    const closed = { active: false, operationalTo: '2026-10-31', successors: [{ target: 'A81003' }] };
    const loaded = await bench.run([
      'directory',
      'load',
      place(lines({ ...surgery, ...closed }, { ...other, ...closed })),
    ]);
    expect(loaded.out).toContain('2 alert(s)');
    const { out } = await bench.run(['directory', 'alerts']);
    expect(
      out
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(/  +/).slice(1)),
    ).toEqual([
      ['A81001', 'succeeded', 'succeeded by A81003'],
      ['A81001', 'closed', 'closed on 2026-10-31'],
    ]);
    expect((await bench.run(['directory', 'alerts', '--organisation', 'A81002', '--json'])).out).toContain(
      '"alerts": []',
    );
    expect((await bench.run(['directory', 'alerts', '--organisation', '!'])).status).toBe(65);
  });
});
