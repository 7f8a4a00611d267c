import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const noClientHeaders = { 'mex-ClientVersion': null, 'mex-OSName': null, 'mex-OSVersion': null };

const missing = (name: string): object => ({ type: 'missing', loc: ['header', name], msg: 'Field required' });

describe.each(['live', 'sandbox'] as const)('handshake under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules });
  });
  afterAll(() => exchange.stop());

  it.each(['GET', 'POST'])('answers %s in version 1 with the mailbox id', async (method) => {
    const headers = { 'mex-ClientVersion': 'c', 'mex-OSName': 'o', 'mex-OSVersion': 'v' };
    const reply = await exchange.client('X26ABC1', { version: 1 }).request(method, '', { headers });
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(jsonOf(reply)).toEqual({ mailboxId: 'X26ABC1' });
  });

  it.each(['GET', 'POST'])('answers %s in version 2 with an empty body and no content type', async (method) => {
    const headers = { 'mex-ClientVersion': 'c', 'mex-OSName': 'o', 'mex-OSVersion': 'v' };
    const reply = await exchange.client('X26ABC1').request(method, '', { headers });
    expect(reply.status).toBe(200);
    expect(reply.body).toHaveLength(0);
    expect(reply.headers['content-length']).toBe('0');
    expect(reply.headers).not.toHaveProperty('content-type');
  });

  it('takes a lower-case mailbox in the path for the mailbox itself', async () => {
    const reply = await exchange.client('x26abc1', { version: 1 }).handshake();
    expect(reply.status).toBe(200);
    expect(jsonOf(reply)).toEqual({ mailboxId: 'X26ABC1' });
  });

  it('takes required headers that are present and empty', async () => {
    const headers = { 'mex-ClientVersion': '', 'mex-OSName': '', 'mex-OSVersion': '' };
    expect((await exchange.client('X26ABC1').handshake({ headers })).status).toBe(200);
  });

  it.each([1, 2] as const)('names every missing header at once, in the validation shape, in version %i', async (v) => {
    const reply = await exchange.client('X26ABC1', { version: v }).handshake({ headers: noClientHeaders });
    expect(reply.status).toBe(400);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(jsonOf(reply)).toEqual({
      detail: ['mex-clientversion', 'mex-osname', 'mex-osversion'].map(missing),
    });
  });

  it('keeps what the client says of itself for the connection history', async () => {
    const headers = {
      'mex-ClientVersion': 'folder-client 1',
      'mex-OSName': 'Linux',
      'mex-OSVersion': '6',
      'mex-OSArchitecture': 'x86_64',
      'mex-JavaVersion': '21',
      User_Agent: 'underscored',
    };
    await exchange.client('X26ABC2').handshake({ headers });
    const { mailboxId } =
      exchange.rooms.registry
        .current()
        .mailboxes()
        .find((each) => each.name === 'TESTMB2') ?? {};
    const mailbox = mailboxId ?? expect.unreachable('the mailbox was seeded');
    expect(await exchange.rooms.ledger.registry.connections({ mailbox, limit: 1 })).toMatchObject([
      {
        clientVersion: 'folder-client 1',
        osName: 'Linux',
        osVersion: '6',
        osArchitecture: 'x86_64',
        javaVersion: '21',
        userAgent: 'underscored',
      },
    ]);
  });

  it('says that a first POST may carry an idempotency key', async () => {
    const reply = await exchange.client('X26ABC1').handshake();
    expect(reply.headers['openmesh-idempotency-key']).toBe('accepted');
  });
});
