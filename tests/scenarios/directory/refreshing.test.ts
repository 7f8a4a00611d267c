import type { FixtureOrganisation } from '@openmesh/sandbox/stand-ins/organisations.ts';
import { describe, expect, it } from 'vitest';
import { GpExchange } from '../../kit/gp-exchange.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';

guardLeaks();

const hourMs = 3_600_000;

async function find(gp: GpExchange, odsCode: string) {
  return gp.exchange.rooms.ledger.directory.find(odsCode as never);
}

describe('the directory, refreshed from the organisation data', () => {
  it('takes everything over at first, with who belongs to whom and who came after whom', async () => {
    await using gp = await GpExchange.start();
    await gp.work();
    expect(await find(gp, 'X26')).toMatchObject({
      organisation: { name: 'SANDBOX SURGERY ONE', active: true, primaryRole: 'RO177', recordClass: 'RC1' },
    });
    expect(await find(gp, 'X26001')).toMatchObject({
      organisation: { recordClass: 'RC2' },
      links: [{ kind: 'relationship', type: 'RE6', target: 'X26', active: true }],
    });
    expect(await find(gp, 'Y12345')).toMatchObject({
      organisation: { active: false, operational: { to: '2021-12-31' } },
      links: [{ kind: 'succession', type: 'successor', target: 'X26', from: '2022-01-01' }],
    });
  });

  it('routes to a patient’s practice by what it was told', async () => {
    await using gp = await GpExchange.start();
    await gp.work();
    const messageId = await gp.send('GPPROVIDER_9990000123_19800229_FOLLOWER');
    await gp.work();
    expect(await gp.inbox('X26ABC2')).toEqual([messageId]);
    const routed = (await gp.exchange.timeline(messageId)).find(({ kind }) => kind === 'routed');
    expect(routed).toMatchObject({ detail: 'Y12345 has closed, succeeded by X26' });
  });

  it('asks again after a day, and then only for what has changed; a restart asks for nothing sooner', async () => {
    await using gp = await GpExchange.start();
    await gp.work();
    const first = gp.world.standIns.asked.get('organisations');
    await gp.exchange.restart();
    gp.exchange.clock.advance(23 * hourMs);
    await gp.work();
    expect(gp.world.standIns.asked.get('organisations')).toBe(first);
    gp.world.standIns.tellOrganisations([
      organisation('X26', 'RENAMED', '2000-01-01'),
      organisation('X27', 'NEW NAME'),
    ]);
    gp.exchange.clock.advance(hourMs);
    await gp.work();
    expect((await find(gp, 'X26'))?.organisation.name).toBe('SANDBOX SURGERY ONE');
    expect((await find(gp, 'X27'))?.organisation.name).toBe('NEW NAME');
  });

  it('alerts once, in log, metrics and record, when an organisation with mailboxes closes and is succeeded', async () => {
    await using gp = await GpExchange.start();
    await gp.work();
    const closed = { ...organisation('X27', 'SANDBOX SURGERY TWO'), active: false, operationalTo: '2026-11-01' };
    gp.world.standIns.tellOrganisations([{ ...closed, successors: [{ target: 'X26', date: '2026-11-01' }] }]);
    gp.exchange.clock.advance(24 * hourMs);
    await gp.work();
    await gp.work();
    const lines = gp.exchange.logLines.filter((line) => line.includes('"directory-alert"'));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 'warn', organisation: 'X27', reason: 'closed' },
      { level: 'warn', organisation: 'X27', reason: 'succeeded' },
    ]);
    const metrics = await (await fetch(`http://127.0.0.1:${gp.exchange.running.operatorsPort}/metrics`)).text();
    expect(metrics).toContain('openmesh_directory_alerts_total{kind="closed"} 1');
    expect(metrics).toContain('openmesh_directory_alerts_total{kind="succeeded"} 1');
  });

  it('keeps what it has when the service fails half way, and begins again later', async () => {
    const broken = { kind: 'text', status: 200, text: '{"resourceType":"Bundle"' } as const;
    await using gp = await GpExchange.start({}, ({ faults }) => faults.add('organisations', broken, 1));
    await gp.work();
    const { directory } = gp.exchange.rooms.ledger;
    expect(await directory.state()).toEqual({ organisations: 0, refreshedAtMs: null, changesTo: null });
    expect(gp.exchange.logLines.join('')).toContain('"job":"directory-refresh"');
    gp.exchange.clock.advance(hourMs);
    await gp.work();
    expect((await directory.state()).organisations).toBe(7);
  });

  it.each([
    ['elsewhere', 'https://elsewhere.example/x'],
    ['round in circles', 'https://elsewhere.example/Organization?_lastUpdated=ge1900-01-01&_count=1000'],
  ])('is not led %s by a page', async (_says, next) => {
    const misleading = { kind: 'text', status: 200, text: page(next) } as const;
    await using gp = await GpExchange.start({}, ({ faults }) => faults.add('organisations', misleading, 100));
    await gp.work();
    const asked = gp.world.standIns.asked.get('organisations') ?? 0;
    await gp.work();
    expect(gp.world.standIns.asked.get('organisations')).toBe(asked + 1);
    expect((await gp.exchange.rooms.ledger.directory.state()).refreshedAtMs).toBeNull();
  });
});

function page(url: string): string {
  return JSON.stringify({ resourceType: 'Bundle', link: [{ relation: 'next', url }], entry: [] });
}

function organisation(odsCode: string, name: string, lastChange = '2099-01-01'): FixtureOrganisation {
  return { odsCode, name, active: true, roles: ['RO177'], lastChange };
}
