import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMessageId } from '@openmesh/protocol';
import type { StandInFault } from '@openmesh/sandbox/stand-ins/faults.ts';
import { describe, expect, it } from 'vitest';
import { testCertificates } from '../../kit/certificates.ts';
import { GpExchange } from '../../kit/gp-exchange.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { usualMailboxes } from '../../kit/seeded-registry.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { expectError } from '../../kit/wire-answers.ts';

guardLeaks();

const address = 'GPPROVIDER_9990000018_19800229_REGISTERED';
const unregistered = { status: 417, event: 'SEND', code: '12', text: 'Unregistered to address' };
const hourMs = 3_600_000;
const faults: readonly (readonly [string, StandInFault])[] = [
  ['does not answer', { kind: 'silence' }],
  ['breaks off its answer', { kind: 'cut' }],
  ['answers without end', { kind: 'flood', bytes: 4_000_000 }],
  ['answers with no JSON', { kind: 'text', status: 200, text: '<html>' }],
  ['answers with another document', { kind: 'text', status: 200, text: '{"resourceType":"Bundle"}' }],
  ['answers 404 without saying what', { kind: 'text', status: 404, text: '{}' }],
  ['answers 408', { kind: 'status', status: 408 }],
  ['answers 429', { kind: 'status', status: 429, retryAfter: '1' }],
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers 503', { kind: 'status', status: 503 }],
  ['refuses us', { kind: 'status', status: 403 }],
];
/** Where an answer is waited for that never comes. */
const impatient = { OPENMESH_SERVICES_TIMEOUT_SECONDS: '3' };

describe('a message to the practice of a patient, while the demographics service fails', () => {
  it.each(faults)('is held when the service %s, and delivered when it answers again', async (_says, fault) => {
    await using gp = await GpExchange.start(fault.kind === 'silence' ? impatient : {});
    gp.world.standIns.faults.add('demographics', fault, 1);
    const messageId = await gp.send(address);
    await gp.work();
    expect(gp.world.standIns.asked.get('demographics')).toBe(1);
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'accepted', recipient: '' });
    expect([await gp.inbox('X26ABC2'), await gp.reports()]).toEqual([[], []]);
    gp.exchange.clock.advance(10 * 60_000);
    await gp.work();
    expect(await gp.inbox('X26ABC2')).toEqual([messageId]);
    expect(await gp.reports()).toEqual([]);
  });

  it('is held when the token cannot be had', async () => {
    await using gp = await GpExchange.start();
    gp.world.standIns.faults.add('token', { kind: 'status', status: 503 }, 1);
    const messageId = await gp.send(address);
    await gp.work();
    expect(await gp.inbox('X26ABC2')).toEqual([]);
    gp.exchange.clock.advance(10 * 60_000);
    await gp.work();
    expect(await gp.inbox('X26ABC2')).toEqual([messageId]);
  });

  it('is held when somebody else answers in place of the service', async () => {
    const { authorityFile } = await testCertificates();
    await using gp = await GpExchange.start({ OPENMESH_SERVICES_CA_FILE: authorityFile });
    const messageId = await gp.send(address);
    await gp.work();
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'accepted', recipient: '' });
    expect(gp.world.standIns.asked.get('demographics')).toBeUndefined();
    expect(gp.exchange.logLines.join('')).toContain('"reason":"certificate"');
  });

  it('is reported when the service has not answered for four hours, and not before', async () => {
    await using gp = await GpExchange.start();
    gp.world.standIns.faults.add('demographics', { kind: 'status', status: 503 }, 1000);
    const messageId = await gp.send(address);
    gp.exchange.clock.advance(4 * hourMs - 60_000);
    await gp.work();
    expect(await gp.reports()).toEqual([]);
    gp.exchange.clock.advance(60_000);
    await gp.work();
    expect(await gp.tracking(messageId)).toMatchObject({ status: 'error', status_code: 'GpLookupUnavailable' });
    expect(await gp.reports()).toMatchObject([
      { 'mex-statuscode': 'GpLookupUnavailable', 'mex-linkedmsgid': messageId },
    ]);
  });

  it('does not wait for its time when the service asked to be left alone beyond it', async () => {
    await using gp = await GpExchange.start();
    gp.world.standIns.faults.add('demographics', { kind: 'status', status: 429, retryAfter: '3600' }, 1);
    await gp.send(address);
    gp.exchange.clock.advance(4 * hourMs - 60_000);
    await gp.work();
    expect(await gp.reports()).toEqual([]);
    gp.exchange.clock.advance(60_000);
    await gp.work();
    expect(await gp.reports()).toHaveLength(1);
  });

  it('is put into no inbox by an operator’s hand, and can be ended by it', async () => {
    await using gp = await GpExchange.start();
    gp.world.standIns.faults.add('demographics', { kind: 'status', status: 503 }, 100);
    const messageId = parseMessageId(await gp.send(address));
    if (messageId === undefined) throw new Error('the message has no id');
    const { expire } = gp.exchange.rooms.hall;
    const hand = {
      messageId,
      actor: 'tester',
      linkedMessageId: null,
      status: { code: '', event: '', description: '' },
    };
    expect(await expire.byHand({ ...hand, to: 'accepted' })).toBe('gone');
    expect(await expire.byHand({ ...hand, to: 'error' })).toBe('changed');
    await gp.work();
    expect([await gp.tracking(messageId), await gp.reports()]).toMatchObject([{ status: 'error' }, []]);
  });

  it('does not wait behind another that cannot be answered', async () => {
    await using gp = await GpExchange.start();
    await gp.send('GPPROVIDER_9990000247_19800229_ANYBODY');
    const messageId = await gp.send(address);
    await gp.work();
    expect(await gp.inbox('X26ABC2')).toEqual([messageId]);
  });

  it('survives the end of the process', async () => {
    await using gp = await GpExchange.start();
    gp.world.standIns.faults.add('demographics', { kind: 'status', status: 503 }, 1);
    const messageId = await gp.send(address);
    await gp.work();
    await gp.exchange.restart();
    await gp.work();
    expect(await gp.inbox('X26ABC2')).toEqual([messageId]);
  });
});

describe('what is known of the patient', () => {
  const married = 'GPPROVIDER_9990000182_19800229_MARRIED';
  const words = /9990000182|9990000050|MARRIED|SURNAMEOFNOBODY|19800229|1980-02-29/i;

  it('stands in no log, metric, timeline, audit, refusal, report or answer, nor on the disk', async () => {
    await using gp = await GpExchange.start();
    const found = await gp.send(married);
    const unknown = await gp.send('GPPROVIDER_9990000050_19800229_SURNAMEOFNOBODY');
    gp.world.standIns.faults.add('demographics', { kind: 'status', status: 500 }, 1);
    const sender = gp.exchange.client('X26ABC1');
    const answers = [
      await sender.send({ to: `${married}_`.replace('_19800229', ''), workflowId: 'GPCONNECT_SEND_DOCUMENT' }, 'x'),
      await sender.send({ to: married, workflowId: 'PATH_MEDRPT_V3' }, 'x'),
    ];
    const held = await gp.send(married);
    await gp.work();
    gp.exchange.clock.advance(600_000);
    await gp.work();
    const { ledger } = gp.exchange.rooms;
    const told = {
      log: gp.exchange.logLines,
      answers: answers.map(({ body }) => body.toString()),
      tracking: await Promise.all([found, unknown, held].map((id) => gp.tracking(id))),
      timelines: await Promise.all([found, unknown, held].map((id) => gp.exchange.timeline(id))),
      reports: await gp.reports(),
      refusals: await gp.exchange.refusals(),
      audit: await ledger.audit.read({ fromEntryNo: 1, limit: 1000 }),
      metrics: await (await fetch(`http://127.0.0.1:${gp.exchange.running.operatorsPort}/metrics`)).text(),
    };
    expect(told.metrics).toContain('openmesh_gp_routing_total{outcome="delivered"} 2');
    expect(told.timelines.flat().length).toBeGreaterThan(5);
    for (const [place, content] of Object.entries(told)) expect(JSON.stringify(content), place).not.toMatch(words);
    for (const file of readdirSync(gp.exchange.dataFolder).filter((name) => name.startsWith('ledger.sqlite'))) {
      expect(readFileSync(join(gp.exchange.dataFolder, file), 'latin1'), file).not.toMatch(words);
    }
  });

  it('is gone from the record once the address was resolved', async () => {
    await using gp = await GpExchange.start();
    const messageId = await gp.send(married);
    const { ledger } = gp.exchange.rooms;
    const [waiting] = await ledger.resolving.waiting({ after: null, limit: 1 });
    expect(waiting?.messageId).toBe(messageId);
    await gp.work();
    const record = waiting === undefined ? null : await ledger.messages.find(waiting.messageId);
    const opened = gp.exchange.rooms.sealer.open(record?.sealed ?? '', `message:${messageId}`);
    expect(opened).toContain('LOCAL-1');
    expect(opened).not.toMatch(words);
  });
});

describe('without a demographics service', () => {
  it('a message to the practice of a patient is refused at once', async () => {
    await using exchange = await ExchangeInProcess.start({ tls: 'off' });
    const sender = exchange.client('X26ABC1');
    const reply = await sender.send({ to: address, workflowId: 'GPCONNECT_SEND_DOCUMENT' }, 'a letter');
    expectError(reply, 2, unregistered);
  });
});

describe('with a local register', () => {
  it('a message is delivered as with the service', async () => {
    await using folder = await temporaryFolder('register');
    const file = join(folder.path, 'register.jsonl');
    const entry = { nhsNumber: '9990000018', dateOfBirth: '1980-02-29', surnames: ['Registered'], practice: 'Y99' };
    writeFileSync(file, `${JSON.stringify(entry)}\n`);
    const seeds = {
      mailboxes: usualMailboxes,
      workflows: [{ workflowId: 'GPCONNECT_SEND_DOCUMENT', gpRouting: true }],
      registrations: [{ mailbox: 'Y99ABC3', workflowId: 'GPCONNECT_SEND_DOCUMENT', role: 'responder' as const }],
    };
    const settings = { OPENMESH_DEMOGRAPHICS: `file:${file}` };
    await using exchange = await ExchangeInProcess.start({ tls: 'off', seeds, settings });
    const messageId = sentIdOf(
      await exchange.client('X26ABC1').send({ to: address, workflowId: 'GPCONNECT_SEND_DOCUMENT' }, 'a letter'),
    );
    await exchange.rooms.clockwork.runAll();
    expect(listedIdsOf(await exchange.client('Y99ABC3').list())).toEqual([messageId]);
  });
});
